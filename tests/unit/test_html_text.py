"""HTML that has no text beside it is written as text: what a reader sees of it, line by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import texts
from mailstep import limits
from mailstep.contracts import TextKind
from mailstep.parse.html_text import html_text
from tests.support.messages import parsed
from tests.support.steps import lines_run

ANSWER = "Thanks, two please."
GMAIL = (
    f'<div dir="ltr">{ANSWER}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">'
    "{attribution}<br></div>"
    '<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204)">'
    "<div>Old text here.</div><div>More old text.</div></blockquote></div>"
)
ATTRIBUTION = 'On Tue, Jun 3, 2025 at 9:15 AM Carol &lt;<a href="mailto:c@example.org">c@example.org</a>&gt; wrote:'


ALTERNATIVE = (
    "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n{}\n--b\nContent-Type: text/html\n\n<p>rich\n--b--"
)


def html_only(html: str, *, subject: str = "Order") -> str:
    return f"From: a@b.example\nSubject: {subject}\nContent-Type: text/html; charset=utf-8\n\n{html}"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>The chair has a <b>broken</b> leg.</p>", "The chair has a broken leg."),
        ("<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree"),
        ("<div>one</div><div><br></div><div>two</div>", "one\n\ntwo"),
        ("one\n two\t three&nbsp; four", "one two three  four"),
        ("<ul><li>a<li>b<ul><li>c</ul></ul>", "- a\n- b\n  - c"),
        ('<ol start="3"><li>a</li><li>b</li></ol>', "3. a\n4. b"),
        ("<table><tr><th>Lamp</th><th>Count</th></tr><tr><td>Red</td><td> 2 </td></tr></table>", "Lamp\tCount\nRed\t2"),
        # Outlook and Word write each cell as a paragraph.
        (
            "<table><tr><td><p class=MsoNormal>Lamp<o:p></o:p></p></td>\n<td><p class=MsoNormal>2</p></td></tr>"
            "<tr><td><div>Red</div></td><td><p>3</p></td></tr></table><p>Thanks</p>",
            "Lamp\t2\nRed\t3\n\nThanks",
        ),
        ("<table><tr><td><p>a</p><p>b</p></td><td><div>c</div>d</td></tr></table>", "a\n\nb\tc\nd"),
        ("<td><div><table><tr><td>a</td></tr></table></div><div>b</div></td>", "a\nb"),
        ('<a href="https://example.org/?a=b&amp;c">the shop</a>', "the shop"),
        ("&lt;x&gt; &amp; &euro;5 &#8364;6 &#x20ac;7 &copy &unknown;", "<x> & €5 €6 €7 © &unknown;"),
        ("<pre>for x in y:\n    print(x)</pre>", "for x in y:\n    print(x)"),
        ('<div style="white-space: pre-wrap">a\n  b</div>', "a\n  b"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>c", "> a\n>\n> > b\n\nc"),
        ('<blockquote style="margin:0 0 0 40px;border:none">indented</blockquote>', "indented"),
        ("<head><title>t</title><style>p{x:y}</style></head><body>a<script>if (a<b) c()</script>b</body>", "ab"),
        ("a<!-- no > no -->b<!---->c<!-->d<![if !mso]>e<![endif]>f<?xml x?>g", "abcdefg"),
        ("a<div style='display:none'>no<div>no</div>no</div>b", "a\nb"),
        ("a<span hidden>no</span>b<p hidden style='display: block'>c</p>", "ab\n\nc"),
        (
            "a<p style='display:none;display:block'>b</p><p style='display:none !important;display:block'>no</p>",
            "a\n\nb",
        ),
        ("a<p style='display:block;DISPLAY/**/: none'>no</p><p style='/*display:none*/'>b</p>", "a\n\nb"),
        ("a<b style='visibility:hidden'>no</b>b<b style='opacity:0.0'>no</b>c<b style='opacity:.9'>d</b>", "abcd"),
        # Only Outlook for Windows hides it.
        ("a<p style='mso-hide:all'>b</p>", "a\n\nb"),
        # Letters without a size, as spam hides words; templates set the size again further in.
        ("fi<span style='font-size:0'>le </span>sh<i style='font-size: 0.0px'>aring</i>", "fish"),
        ("<p style='font-size:0px'>no<b style='font-size:13px'>a<i>b</i></b>no</p>c", "ab\n\nc"),
        ("<div style='max-height:0;overflow:hidden'>no</div><div style='overflow:hidden'>a</div>", "a"),
        # Elements whose tags are text, and Office's islands of data.
        ("a<textarea><style>b</textarea>c<xmp><script>d</xmp>e", "a<style>bc<script>de"),
        ("a<xml>b</xml>c<xml><w:View>no</w:View></xml>d<xml> <o:p>no</o:p></XML>e", "abcde"),
        ("a<noscript>b</noscript>c", "abc"),
        ('<p title="a>b">c</p><p title=\'"\'>d', "c\n\nd"),
        ("<P>a</P ><BR/>b", "a\n\nb"),
        ("a < b, 3 <4 and c > d <3", "a < b, 3 <4 and c > d <3"),
        ('<img alt="logo"><img alt="😀">', "😀"),
        ("zero\u200bwidth&shy;", "zerowidth"),
        (
            "<p class=MsoNormal>one<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>two</p>",
            "one\n\ntwo",
        ),
        ('one<p style="margin:0">two</p><p style="margin: 0in">three</p>', "one\ntwo\nthree"),
        ("<p>never <b>ended", "never ended"),
        ("", ""),
    ],
)
def test_html_is_written_as_a_reader_sees_it(html: str, text: str) -> None:
    assert html_text(html).text == text


@pytest.mark.parametrize(
    "html",
    [
        '<div style="display:none">kept',
        "<!-- >kept",
        "<title>kept",
        "<div><p <b>kept</b>",
        "kept <b",
        f"&#{'9' * 5_000};kept",
        "<blockquote>" * 500 + "kept",
        "<p a='>kept</p>",
        # A quotation mark outside of a value is a letter (WHATWG HTML section 13.2.5.33), and `--!>` ends a comment.
        '<b ">kept<i ">x</i>',
        "<b a=1'>kept<i a='>'>x</i>",
        "<!-- no --!>kept<!-- no -->",
        "<p hidden>no<p>kept</p></p>",
        "</ >kept<a title='a>b'>",
        "<svg/>kept<svg></svg>",
    ],
)
def test_broken_html_hides_no_words(html: str) -> None:
    assert "kept" in html_text(html).text


def test_a_message_that_is_only_html_has_a_text_and_says_where_it_comes_from() -> None:
    message = parsed(html_only("<p>Please cancel order <b>4711</b></p>"))
    assert (message.text, message.reply_text, message.text_from_html) == (*["Please cancel order 4711"] * 2, True)
    assert message.html == "<p>Please cancel order <b>4711</b></p>"


def test_a_text_beside_the_html_is_the_text() -> None:
    message = parsed(ALTERNATIVE.format("plain"))
    assert (message.text, message.text_from_html) == ("plain", False)


def test_an_empty_text_beside_the_html_gives_way_to_it() -> None:
    message = parsed(ALTERNATIVE.format(" "))
    assert (message.text.strip(), message.text_from_html) == ("rich", True)
    assert parsed(ALTERNATIVE.replace("<p>rich", "<p>👍").format(" ")).text.strip() == "👍"
    unseen = "\xa0\u200b\u200c\ufeff"
    written = ALTERNATIVE.replace("b\n\n{}", "b\nContent-Type: text/plain; charset=utf-8\n\n{}").format(unseen)
    assert parsed(written).text == "rich"


def test_html_beside_a_footer_of_text_is_no_less_read() -> None:
    """A mailing list adds its footer as a part: RFC 8621 section 4.1.4 has both in `textBody`."""
    mixed = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>rich\n--b\n\nfooter\n--b--"
    assert parsed(mixed).text == "rich\nfooter"


def test_the_same_words_as_text_and_as_html_are_read_once() -> None:
    mixed = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nTwo lamps.\n--b\nContent-Type: text/html\n\n"
    message = parsed(f"{mixed}<p>Two <b>lamps</b>.\n--b--")
    assert (message.text, message.text_from_html) == ("Two lamps.", False)


@pytest.mark.parametrize(
    "attribution",
    [
        ATTRIBUTION,
        "Am Di., 3. Juni 2025 um 09:15 Uhr schrieb Carol &lt;carol@example.org&gt;:",
        "Ar 3 Meh 2025 am 9:15 ysgrifennodd Carol:",  # a language without words of ours: Gmail's mark tells
    ],
)
def test_a_reply_of_gmail_is_told_from_what_it_quotes(attribution: str) -> None:
    message = parsed(html_only(GMAIL.replace("{attribution}", attribution)))
    assert (message.reply_text, message.reply_kind) == (ANSWER, TextKind.TOP)
    assert message.quoted_text.endswith("> Old text here.\n> More old text.")


def test_answers_within_gmail_s_quote_are_kept() -> None:
    html = (
        f'<div class="gmail_quote"><div class="gmail_attr">{ATTRIBUTION}<br></div>'
        '<blockquote class="gmail_quote">What colour?</blockquote><div>Blue.</div>'
        '<blockquote class="gmail_quote">How many?</blockquote><div>Two.</div></div>'
    )
    message = parsed(html_only(html))
    assert message.reply_kind == TextKind.INTERLEAVED
    assert message.reply_text == "> What colour?\n\nBlue.\n\n> How many?\n\nTwo."


@pytest.mark.parametrize(
    "names", [("From", "Sent", "To", "Subject"), ("Von", "Gesendet", "An", "Betreff"), ("Oddi", "Anfon", "At", "Pwnc")]
)
def test_a_reply_of_outlook_is_told_from_what_it_quotes(names: tuple[str, ...]) -> None:
    values = ("Carol &lt;carol@example.org&gt;", "Tuesday, 3 June 2025 09:15", "Ann", "Order")
    fields = "<br>".join(f"<b>{name}:</b> {value}" for name, value in zip(names, values, strict=True))
    html = (
        f"<div>{ANSWER}</div><div id='appendonsend'></div><hr style='display:inline-block;width:98%'>"
        f'<div id="divRplyFwdMsg" dir="ltr"><font face="Calibri">{fields}</font><div>&nbsp;</div></div><div>Old</div>'
    )
    assert parsed(html_only(html)).reply_text == ANSWER


def test_the_line_that_outlook_draws_tells_a_header_in_any_language() -> None:
    fields = "<b>No:</b> Carol &lt;c@example.org&gt;<br><b>Nosūtīts:</b> 3. jūnijs<br><b>Kam:</b> Ann<br><b>Tēma:</b> x"
    html = (
        f'<p class="MsoNormal">{ANSWER}</p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt">'
        f'<p class="MsoNormal">{fields}</p></div></div><p class="MsoNormal">Old</p>'
    )
    assert parsed(html_only(html)).reply_text == ANSWER


def test_apple_mail_quotes_its_attribution_too() -> None:
    html = f'{ANSWER}<br><blockquote type="cite"><div>{ATTRIBUTION}</div><br><div>Old</div></blockquote>'
    assert parsed(html_only(html)).reply_text == ANSWER


def test_a_signature_that_the_html_marks_is_one() -> None:
    html = f'<p>{ANSWER}</p><div class="gmail_signature"><div>Ann Customer</div><div>Example Ltd</div></div>'
    message = parsed(html_only(html))
    assert (message.reply_text, message.signature) == (ANSWER, "Ann Customer\nExample Ltd")


def test_a_long_text_within_the_mark_of_a_signature_is_text() -> None:
    written = "".join(f"<div>Line {number}.</div>" for number in range(30))
    message = parsed(html_only(f'<p>Hi</p><div class="gmail_signature">{written}</div>'))
    assert (message.reply_text.count("Line"), message.signature) == (30, "")


def test_a_forward_of_gmail_is_kept_whole() -> None:
    header = (
        "---------- Forwarded message ---------<br>From: Bob &lt;b@x.example&gt;<br>Date: Tue<br>Subject: x<br>To: Ann"
    )
    message = parsed(html_only(f'<div>See below.</div><div class="gmail_attr">{header}</div><br>The content'))
    assert (message.reply_kind, message.reply_text) == (TextKind.FORWARD, message.text)


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [*texts.HTML.values(), "</blockquote>", "</ul>", "</p>", "<li>", "-->", "</title>", '"', "'", "&#"]
            ),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        ),
        max_size=30,
    )
)
def test_any_html_has_a_text(pieces: list[str]) -> None:
    made = html_text("".join(pieces))
    assert all(0 <= line < len(made.text.split("\n")) for line in made.hints)


def test_the_text_that_is_made_of_html_is_bounded_as_a_text_is() -> None:
    """`limits.TEXT` bounds what message.json has: quotes and lists would make twenty times the HTML."""
    items = "<blockquote><ol>" * 20 + "<li>a" * 60_000
    half = "Content-Type: text/html\n\n" + items
    message = parsed(f"From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n{half}\n--b\n{half}\n--b--")
    assert limits.TEXT - 10 < len(message.text) <= limits.TEXT + 10
    assert "text_truncated" in message.defects


@pytest.mark.parametrize("name", texts.HTML)
def test_twice_as_much_hostile_html_takes_twice_the_steps(name: str) -> None:
    half, whole = (lines_run(html_text, texts.of(texts.HTML[name], octets)) for octets in (4_000, 8_000))
    assert whole < 2.5 * half + 1_000


@pytest.mark.slow
@pytest.mark.parametrize("name", texts.HTML)
def test_a_megabyte_of_hostile_html_is_read_in_seconds(name: str) -> None:
    """Three by `python -m bench.texts`; ten times that is far from what a pattern that goes back would take."""
    assert texts.measure(html_text, texts.HTML[name])[0] < 30
