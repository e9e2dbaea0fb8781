"""Generates docs/policy.md: every rule in order, and the settings of a route."""

import json

from mailstep.outcomes import APPLICATION_REFUSED
from mailstep.route import Route
from mailstep.validate.effects import Effect, Overridden
from mailstep.validate.policy import RULES, Rule

_POLICY = """# Who is processed, and who is replied to

`make reference` generates this page from `functions/mailstep/validate/policy.py`. Mailstep asks two questions of a
message: does it process it, and does it reply? RFC 3834 forbids responses to automatic mail, not work. So each rule has
one of three effects on a message that breaks it:

| effect | the message | the sender | outcome |
| --- | --- | --- | --- |
| **told** | is not processed | gets a short reply that says what to do | `refused` |
| **silent** | is not processed | gets no reply | `silent` |
| **withheld** | is processed; the application knows that no reply follows | gets no reply and no notice | `processed` |

The first rule that refuses the message decides, told or silent. Its code is the `reason` in the execution's output and
in the log line of the metric `EmailsRefused`. The code of the first rule that withholds the reply is `withheld` in the
output, in the application's request or queue item, and the `reason` of the metric `EmailsWithheld`. A message whose
reply is withheld is still checked by the other rules, and a rule that would tell the sender is then silent.
`mailstep demo` and `mailstep history` show both codes. Mailstep never sends to a From address that neither DMARC nor
aligned SPF or DKIM authenticates.

An operator can override a rule for one message: `mailstep replay NAME --override CODE`. The column *override* says what
happens then.

| | code | reason | effect | override | source, or the route's setting |
| --- | --- | --- | --- | --- | --- |"""
_EFFECTS = {Effect.TELL: "told", Effect.REFUSE: "silent", Effect.WITHHOLD: "withheld"}
_OVERRIDES = {
    Overridden.PROCESS: "processed, replied to",
    Overridden.WITHHOLD: "processed, no reply",
    Overridden.NEVER: "no",
}
_SETTINGS = f"""
One more reason is `{APPLICATION_REFUSED}`: your application answered 4xx with a reason.

## Which files the rules see

`max_attachments` and `attachment_types` are about the files that somebody attached (`attached` in
[message.md](message.md)). Pictures that the HTML shows, signatures, alternatives and calendar parts do not count, nor
do pictures that a winmail.dat marks as part of its text. With `read_enclosed`, the files of an attached message count
too: your application gets them as it gets the others.

Programs and macros are looked for in every part, attached or not, and in ZIP archives, office documents among them, two
archives deep; and in documents of Office 97 to 2003. Names and labels hide none of them: the first octets of a file
tell, within archives too. Nor do headers of an archive that programs read differently, or an archive behind
another one. Macros are VBA and the macro sheets of Excel 4.0, these also in an encrypted workbook: Excel opens one with
its default password without asking. A document has them if a part's name or its type says so, also if it is a text that
Word opens (a page of one file, XML). A program that somebody put into a document as an object counts, too.

Mailstep does not look into PDF, HTML, SVG, RTF and OneNote: scripts and files in them are no reason to refuse. Nor does
it open DOCX, XLSX and PPTX that are encrypted, whatever the password.
The names in an encrypted ZIP archive are readable, so a program in it is refused too. What is in other
archives (7z, RAR, tar, GZIP), or in an archive within an encrypted one, cannot be seen. A route accepts such files,
because people encrypt what is private, and Mailstep neither unpacks nor runs them. If your application does not want
them, list the types that it takes in `attachment_types`.

## See a rule work

To see a rule work, send a message to a local account (`mailstep up`). The sender's domain tells its SES which
checks fail: `ann@spam.simulator.example` is spam, and `virus.`, `spf.`, `dkim.` and `dmarc.` work alike, alone or
together. A label can also name the result: `spam-gray.`, `virus-processing-failed.`, `spf-softfail.`, `dkim-none.`.
With `-absent`, SES says nothing about that check.

Mail from `ann@spf.dkim.dmarc.simulator.example` is `unauthenticated`; if you leave out any of the three, it is
authenticated. A reply to `ann@bounce.simulator.example` bounces, and a reply to `ann@complaint.simulator.example`
brings a complaint. The reply to the next message from either address is withheld as `suppressed_sender`.

## Settings of a route

Write them below `[routes.<name>]`, in `functions/custom/routes.toml` if you have one, else in
`functions/routes.toml`.

| setting | default | meaning |
| --- | --- | --- |"""


def policy_page() -> str:
    """The text of docs/policy.md."""
    rules = [
        f"| {number} | `{rule.code}` | {rule.means} | {_effect(rule)} | {_OVERRIDES[rule.override]} | {rule.source} |"
        for number, rule in enumerate(RULES, start=1)
    ]
    settings = [
        f"| `{name}` | {_shown(field.get_default(call_default_factory=True))} | {field.description or ''} |"
        for name, field in Route.model_fields.items()
    ]
    return "\n".join([_POLICY, *rules, _SETTINGS, *settings, ""])


def _effect(rule: Rule) -> str:
    usual = _EFFECTS[rule.effect]
    if rule.setting is None:
        return usual
    return f"{usual}; {_EFFECTS[rule.setting.effect]} with `{rule.setting.name} = {json.dumps(rule.setting.value)}`"


def _shown(default: object) -> str:
    return f"`{json.dumps(default)}`" if default not in ("", ()) else ""
