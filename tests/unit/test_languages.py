"""In which language Mailstep writes: as the route says, else as the message is written, and English where unsure."""

import json
import re
from email.message import EmailMessage
from typing import Any

import boto3
import pytest

from mailstep.aws import mail_bucket, ses
from mailstep.contracts import Answer, ReplyRequest
from mailstep.errors import ConfigurationError, RefusedEmail
from mailstep.notices import with_filenames
from mailstep.parse import handler as parse_handler
from mailstep.reply import send_once
from mailstep.route import Route
from mailstep.routes import load
from mailstep.testing import DOMAIN, receive
from mailstep.texts.choosing import of_message, of_text
from mailstep.texts.files import texts_in
from mailstep.validate.effects import Effect
from mailstep.validate.policy import RULES
from tests.support.archives import BOMBS
from tests.support.events import BUCKET, CONTEXT, REGION, event
from tests.support.messages import SES, mail_with, parsed

GERMAN = "Guten Tag,\n\nanbei unsere Bestellung für März.\n\nMit freundlichen Grüßen\nAnna Müller"
IN_GERMAN = Answer(text=GERMAN)
TEXTS = {
    "de": [
        GERMAN,
        "Bestellung anbei, danke",
        "Hallo, könnt ihr die Tabelle bitte prüfen?",
        "Bestellung 4711: 3 Stück, Lieferung bis Freitag",
        "Grüezi, im Anhang die Liste. Freundliche Grüsse",
    ],
    "fr": [
        "Bonjour, veuillez trouver ci-joint la commande. Cordialement",
        "Voici le tableau. Merci !",
        "Pourriez-vous m'envoyer un devis ?",
        "Ci-joint la facture",
    ],
    "es": [
        "Hola, adjunto el pedido. Gracias",
        "Buenos días, le envío la lista de precios. Saludos",
        "Estimados señores: les adjuntamos la factura del mes de marzo.",
        "¿Me pueden enviar un presupuesto?",
        "Por favor, envíen el presupuesto.",
    ],
    "en": ["Please find attached our order. Best regards, Ann", "Hi, here is the order. Thanks"],
}
ELSEWHERE = [
    "Het pakket is niet aangekomen, graag een antwoord van u. Met vriendelijke groeten",
    "Segue em anexo o pedido. Obrigado",
    "Azul, por favor.",
    "Por favor, confirmem o envio da encomenda para esta morada.",
    "Buongiorno, le invio la lista dei prezzi per il mese di marzo. Grazie",
    "Bestilling vedlagt. Med venlig hilsen",
    "Dzień dobry, proszę o ofertę",
    "Salut, vă trimit factura la comanda de ieri. Cu stimă, Ion",
    "Bon dia, us adjunto la comanda del mes. Gràcies",
    "Ola, envío o pedido de marzo. Grazas",
    "注文書を添付します",
    "40 x A4711",
    "ok",
    "",
]


@pytest.mark.parametrize(("language", "text"), [(one, text) for one, texts in TEXTS.items() for text in texts])
def test_a_few_words_tell_the_language_of_a_text(language: str, text: str) -> None:
    assert of_text(text) == language


@pytest.mark.parametrize("text", ELSEWHERE)
def test_a_text_in_another_language_or_without_words_tells_none(text: str) -> None:
    assert of_text(text) == ""
    assert of_message(parsed(f"From: ann@shop.example\n\n{text}\n")) == "en"


def test_a_disclaimer_below_a_short_text_does_not_outvote_it() -> None:
    disclaimer = "This message is intended only for the person that it is addressed to. If you are not that person, "
    assert of_text(f"{GERMAN}\n\n{5 * disclaimer}") == "de"


def test_what_the_sender_quotes_does_not_count() -> None:
    quoted = "\n".join(f"> {line}" for line in 6 * ["Thank you for your order, which we have received."])
    said = "Am 3.3.2026 schrieb orders@mail.example:"
    for text in (f"{GERMAN}\n\n{said}\n{quoted}\n", f"{said}\n{quoted}\n\n{GERMAN}\n"):
        assert of_message(parsed(f"From: ann@shop.example\n\n{text}")) == "de"


# RFC 3282: a list of tags (RFC 5646), in order of preference.
@pytest.mark.parametrize(
    ("field", "language"),
    [("de-CH", "de"), ("DE", "de"), ("nl, fr-BE", "fr"), ("es-419, en", "es"), ("nl", "de"), ("", "de")],
)
def test_content_language_comes_before_the_words(field: str, language: str) -> None:
    assert of_message(parsed(f"From: ann@shop.example\nContent-Language: {field}\n\n{GERMAN}\n")) == language


def test_a_long_text_and_a_long_field_take_no_longer() -> None:
    field = ",".join(["nl"] * 100_000) + ",fr"
    message = parsed("From: ann@shop.example\n\nx\n").model_copy(
        update={"headers": (("Content-Language", field),), "reply_text": "qq " * 1_000_000 + GERMAN}
    )
    assert of_message(message) == "en"


@pytest.mark.parametrize(
    ("setting", "text", "arrived"),
    [
        ("", GERMAN, "Ihre Nachricht ist angekommen: "),
        ("", "Hi, here is the order. Thanks", "Your message arrived: "),
        ("fr", GERMAN, "Votre message est bien arrivé\u00a0: "),
        ("es", "Hi, here is the order. Thanks", "Su mensaje ha llegado: "),
        ("en", GERMAN, "Your message arrived: "),
    ],
)
def test_the_routes_language_comes_before_the_messages_own(setting: str, text: str, arrived: str) -> None:
    email = receive(mail_with({}, text=text), settings=Route(language=setting))
    assert email.process().text.startswith(arrived)


def test_a_reply_says_its_language_to_screen_readers() -> None:
    email = receive(mail_with({}, text=GERMAN), settings=Route())
    html = email.reply(email.process()).get_body(("html",))
    assert html
    assert '<html lang="de">' in html.get_content()


def test_a_language_without_texts_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"line 2: routes.a.language: .*write one of de, en, es, fr"):
        load('[routes.a]\nlanguage = "it"\n', {})


def refusals(language: str) -> dict[str, str]:
    """What each rule that tells the sender says in a language, by its code."""
    unscanned = SES.format(spam="PASS", virus="GRAY", dkim="pass", dmarc="pass").encode()
    table = mail_with({"a.csv": b"a,b\n"})
    table["To"] = f"orders@{DOMAIN}"
    found: dict[str, str] = {}
    cases: list[tuple[EmailMessage | bytes, dict[str, Any]]] = [
        (table, {"allowed_senders": ["*@other.example"]}),
        (table, {"max_size_octets": 10}),
        (unscanned + table.as_bytes().replace(b"\n", b"\r\n"), {}),
        (table, {"max_attachments": 0}),
        (table, {"attachment_types": ["application/pdf"]}),
        (mail_with({"a.zip": BOMBS["too much"]()}), {}),
    ]
    for source, settings in cases:
        with pytest.raises(RefusedEmail) as refused:
            receive(source, settings=Route.model_validate({"language": language} | settings)).validate()
        found[refused.value.reason] = refused.value.explanation
    return found


@pytest.mark.parametrize("language", ["de", "es", "fr"])
def test_each_rule_that_tells_the_sender_does_so_in_the_senders_language(language: str) -> None:
    said = refusals(language)
    assert said.keys() == {rule.code for rule in RULES if rule.effect is Effect.TELL}
    sentences = [str(text) for key, text in texts_in(language).items() if key.startswith("refusal.")]
    forms = [re.compile(re.sub(r"\\{\w+\\}", ".+", re.escape(sentence))) for sentence in sentences]
    for code, explanation in said.items():
        assert any(form.fullmatch(explanation) for form in forms), code


def test_an_explanation_crosses_the_state_as_text_and_names_the_file_in_the_notice() -> None:
    email = receive(mail_with({"Größe.exe": b"MZ"}, text=GERMAN), settings=Route())
    with pytest.raises(RefusedEmail) as refused:
        email.validate()
    told = json.loads(str(refused.value))
    assert told["explanation"].startswith("{attachment 1} ist ein Programm")
    assert "Größe" not in str(refused.value)
    assert "Größe.exe" in with_filenames(told["explanation"], email.message)


@pytest.fixture
def sent(account: None, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    parse_handler.handler(event("parse"), CONTEXT)
    messages: list[bytes] = []

    def send(raw: bytes, **_: object) -> str:
        messages.append(raw)
        return "ses-1"

    monkeypatch.setattr(ses, "send", send)
    return messages


def reply(
    sent: list[bytes],
    monkeypatch: pytest.MonkeyPatch,
    route: Route,
    kind: str = "answer",
    answer: Answer = IN_GERMAN,
    **changes: object,
) -> str:
    """The text of the reply to the sample order, which is written in English, by a route with these settings."""
    monkeypatch.setattr(send_once, "routes", lambda: {"orders": route})
    key = mail_bucket.write_answer(BUCKET, event("reply")["claim"]["email"]["email_id"], answer)
    request = ReplyRequest.model_validate(event("reply") | {"kind": kind, "answer_key": key} | changes)
    send_once.reply(request, remaining_milliseconds=lambda: 20_000)
    [raw] = sent
    return raw.decode()


APPLICATION = Route(url="https://application.example/")


def test_the_frame_of_an_applications_answer_is_in_the_language_of_the_answer(
    sent: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Gesendet von Mailstep." in reply(sent, monkeypatch, APPLICATION)


def test_the_frame_of_a_later_answer_is_in_the_language_of_the_answer(
    sent: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    email_id = event("reply")["claim"]["email"]["email_id"]
    later = {"email_id": email_id, "name": "a", "bucket": BUCKET, "key": f"answers/{email_id}/a.json"}
    body = IN_GERMAN.model_dump_json()
    boto3.client("s3", region_name=REGION).put_object(Bucket=BUCKET, Key=later["key"], Body=body)
    text = reply(sent, monkeypatch, APPLICATION, "later_answer", answer_key=None, later_answer=later)
    assert "Gesendet von Mailstep." in text


def test_an_answer_that_has_only_html_tells_its_language_too(
    sent: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    only_html = Answer(text="", html=f"<p>{GERMAN}</p>")
    assert "Gesendet von Mailstep." in reply(sent, monkeypatch, APPLICATION, answer=only_html)


def test_the_frame_of_a_processors_answer_is_in_the_language_of_the_message(
    sent: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/texts.md: only an application chooses another one."""
    assert "Sent by Mailstep." in reply(sent, monkeypatch, Route(processor="receipt"))


def test_the_frame_is_in_the_routes_language_if_it_has_one(sent: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    route = APPLICATION.model_copy(update={"language": "es"})
    assert "Enviado por Mailstep." in reply(sent, monkeypatch, route)


@pytest.mark.parametrize(("kind", "begins"), [("delay", "Votre message"), ("failure", "Votre message")])
def test_a_notice_is_in_the_routes_language(
    sent: list[bytes], monkeypatch: pytest.MonkeyPatch, kind: str, begins: str
) -> None:
    route = APPLICATION.model_copy(update={"language": "fr"})
    assert begins in reply(sent, monkeypatch, route, kind, answer_key=None)
