"""HTML: its text, its CSS, its links, and what is left of hostile HTML."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.mail.html import inline_css, links, sanitise, to_text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("<p> </p>", ""),
        ("<h1>Title</h1><p>One\n two</p><p>three<br>four</p>", "Title\n\nOne two\n\nthree\nfour\n"),
        ("<a href='https://x.pl'>Shop</a>", "Shop (https://x.pl)\n"),
        ("<a href='https://x.pl/'>x.pl</a>", "x.pl\n"),
        ("<a href='mailto:a@b.pl?subject=x'>write</a>", "write (a@b.pl)\n"),
        ("<a href='#top'>up</a>", "up\n"),
        ("<a href='https://x.pl'><img alt='Logo' src='x'></a>", "Logo (https://x.pl)\n"),
        ("<ul><li>a</li><li>b<ol><li>c</li><li>d</li></ol></li></ul>e", "- a\n- b\n  1. c\n  2. d\n\ne\n"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>", "a | b\nc | d\n"),
        ("<blockquote><p>said</p></blockquote>", "> said\n"),
        ("<pre>  x\n   y</pre>", "  x\n   y\n"),
        ("<head><title>t</title><style>x{}</style></head><script>y</script>seen", "seen\n"),
        ("<div style='display: none'>pre<div>header</div></div>seen", "seen\n"),
        ("a &amp; b &lt;c&gt; &zwnj;&#380;", "a & b <c> \u200cż\n"),
        ("a<hr>b", "a\n\n------------------------------\n\nb\n"),
    ],
)
def test_text_of_html(source, text):
    assert to_text(source) == text


def test_long_lines_are_folded_and_links_are_not():
    url = "https://firm.example/" + "x" * 100
    text = to_text(f"<p>{'word ' * 40}<a href='{url}'>here</a></p>")
    assert f"({url})" in text
    assert all(len(line) <= 76 or url in line for line in text.splitlines())


def test_template_tags_stay_whole():
    source = '<p>{{ name | default: "A &amp; B  C" }} {% if a < b %}x{% endif %}<a href="https://x/{{ id }}">go</a></p>'
    text = to_text(source)
    assert '{{ name | default: "A & B  C" }}' in text
    assert "{% if a < b %}x{% endif %}" in text
    assert "go (https://x/{{ id }})" in text


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "<li>",
                "<ul>",
                "</ul>",
                "</li>",
                "<a href=x>",
                "</a>",
                "<td>",
                "<blockquote>",
                "</blockquote>",
                "<pre>",
                "</pre>",
                "<style>",
                "</style>",
                "<br>",
                "text ",
                "{{ x }}",
                "<!--",
                "-->",
                "<",
                "&",
                "\n",
                "</tr>",
                "<div hidden>",
                "</div>",
            ]
        ),
        max_size=40,
    ).map("".join)
)
def test_any_html_has_a_text(source):
    text = to_text(source)
    assert "\ue000" not in text
    assert text == "" or text.endswith("\n")
    links(source)
    inline_css(source)
    sanitise(source)


HOSTILE = [
    "<",
    "<a ",
    "<a b='",
    "<!--",
    "&",
    "<div>",
    "<div></b>",
    "<b><p>",
    "<td>x",
    "<ul><li>",
    "{{",
    "{% ",
    "</",
    "<hr>",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_page_holds_a_process_up(piece):
    page = "<style>p{color:red}</style>" + piece * 60_000
    for use in (to_text, links, inline_css, sanitise):
        use(page)


def test_of_a_page_nested_without_end_the_text_is_left():
    page = "<div>" * 1000 + "<script>x</script>Hello & <b>you</b>" + "</div>" * 1000
    assert to_text(page).split() == ["x", "Hello", "&", "you"]
    assert sanitise(page).startswith("<pre>")
    assert "<script" not in sanitise(page)


def test_css_is_inlined_and_template_tags_survive():
    source = (
        "<style>td{color:red} @media (max-width:9px){td{color:blue}}</style>"
        '<table>{% for i in (1..2) %}<tr><td><a href="{{ url | default: "x" }}">{{ name }}</a></td></tr>'
        "{% endfor %}</table>"
    )
    page = inline_css(source)
    assert 'style="color: red;"' in page
    assert "@media" in page
    assert 'href="{{ url | default: "x" }}"' in page
    assert (
        page.index("<table>")
        < page.index("{% for i in (1..2) %}")
        < page.index("<td")
        < page.index("{% endfor %}")
    )
    assert page.index("{% endfor %}") < page.index("</table>")


@pytest.mark.parametrize(
    "source", ["<p>no style</p>", "<style>p{color:red}</style><p {% if x %}id=a{% endif %}>y</p>"]
)
def test_a_page_that_cannot_be_inlined_stays_as_it_is(source):
    assert inline_css(source) == source


def test_links_are_listed_once_with_their_fields():
    source = "<a href='http://x/{{ name }}'>a</a><img src='cid:1'><a href='http://x/{{ name }}'>b</a><form action='/f'>"
    assert links(source) == ["http://x/{{ name }}", "cid:1", "/f"]


@pytest.mark.parametrize(
    "bad",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        "<iframe src=//x>",
        "<form action=//x><input></form>",
        "<p style='background:url(//x/y)'>",
        "<p style='position:fixed'>",
        "<base href=//x>",
        "<img src='https://x/pixel.gif'>",
        "<img src='//x/y'>",
        "<a href='data:text/html,<script>'>x</a>",
        "<link href=//x>",
        "<svg><script>alert(1)</script></svg>",
        "<meta http-equiv=refresh content='0;//x'>",
        "<img src='data:text/html,x'>",
    ],
)
def test_nothing_dangerous_and_nothing_remote_is_left(bad):
    clean = sanitise(f"<p>ok</p>{bad}").lower()
    assert "ok" in clean
    for word in (
        "script",
        "alert",
        "//x",
        "data:text",
        "position",
        "url(",
        "<form",
        "<meta",
        "<base",
        "<link",
        "<iframe",
    ):
        assert word not in clean


def test_pictures_of_the_mail_itself_stay_and_remote_ones_on_request():
    assert 'src="cid:logo"' in sanitise("<img src='cid:logo'>")
    assert "https://x/y.png" in sanitise("<img src='https://x/y.png'>", remote=True)
    assert "color:red" in sanitise("<p style='color:red'>x</p>").replace(" ", "")
