"""What a person sees of a mail: its words whatever the charset, its pictures, its files, and nothing that acts."""

import base64
import time

import pytest

from postroom.mail import quote, reading
from postroom.mail.parts import safe_name

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def mail(*parts, kind="mixed", head=b"From: a@b.example\r\nSubject: Hello\r\n"):
    body = b"".join(b"--cut\r\n" + part + b"\r\n" for part in parts) + b"--cut--\r\n"
    return head + b'Content-Type: multipart/%s; boundary="cut"\r\n\r\n' % kind.encode() + body


def html(inner, more=b""):
    return b"Content-Type: text/html; charset=utf-8\r\n" + more + b"\r\n" + inner


def plain(inner):
    return b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + inner


def attached(name, data, kind=b"application/octet-stream"):
    return (
        b"Content-Type: " + kind + b"\r\nContent-Disposition: attachment; " + name
        + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(data)
    )  # fmt: skip


def test_of_two_alternatives_the_laid_out_one_is_shown_and_the_text_is_kept():
    shown = reading.read(mail(plain(b"plain words"), html(b"<h1>laid out</h1>"), kind="alternative"))
    assert shown.text == "plain words"
    assert "<h1>laid out</h1>" in reading.page(shown).html
    assert shown.is_rich


def test_html_that_is_only_words_is_no_layout():
    shown = reading.read(b"Content-Type: text/html\r\n\r\n<div>Dear Ann,<br>yes.</div><p>Ben</p>")
    assert not shown.is_rich
    assert shown.text.split() == ["Dear", "Ann,", "yes.", "Ben"]


def test_nothing_that_acts_or_phones_home_is_left_and_what_was_removed_is_counted():
    shown = reading.read(
        html(
            b"<style>@import url(http://spy.example/a.css);</style><link rel=stylesheet href=http://spy.example/b.css>"
            b"<meta http-equiv=refresh content='0;url=http://spy.example/'><base href=http://spy.example/>"
            b"<p style='background:url(http://spy.example/c.png)' onclick='steal()'>words</p><script>steal()</script>"
            b"<img src='http://spy.example/d.png'><img src=' HTTPS://spy.example/e.png'><svg onload=steal()></svg>"
            b"<form action=http://spy.example><input></form><iframe src=http://spy.example></iframe>"
            b"<a href='javascript:steal()'>go</a><img srcset='http://spy.example/f.png'>"
            b"<img src='data:image/svg+xml;base64,PHN2Zz4='><video src=http://spy.example/g poster=http://spy.example/h>"
        )
    )
    page = reading.page(shown)
    assert "words" in page.html
    assert "spy.example" not in page.html
    for word in ("script", "steal", "svg", "<form", "<input", "<iframe", "<meta", "<link", "url("):
        assert word not in page.html, word
    assert page.blocked == 3
    remote = reading.page(shown, remote=True).html
    assert "http://spy.example/d.png" in remote
    assert "c.png" not in remote
    assert "script" not in remote


def test_a_picture_of_the_mail_itself_is_shown_and_is_no_file():
    picture = b"Content-Type: image/png\r\nContent-ID: <logo@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    raw = mail(html(b'<img src="cid:logo@x">'), picture + base64.encodebytes(PNG), kind="related")
    shown = reading.read(raw)
    page = reading.page(shown)
    assert "data:image/png;base64," + base64.b64encode(PNG).decode() in page.html
    assert (page.blocked, shown.files) == (0, [])


def test_a_picture_that_is_none_is_not_shown():
    evil = b"Content-Type: image/png\r\nContent-ID: <x>\r\n\r\n<svg onload=steal()>"
    shown = reading.read(mail(html(b'<img src="cid:x">'), evil, kind="related"))
    assert "steal" not in reading.page(shown).html
    assert [file.is_viewable for file in shown.files] == [False]


def test_files_have_names_that_lead_nowhere_and_hide_nothing():
    raw = mail(
        plain(b"see"),
        attached(b'filename="../../etc/passwd"', b"x"),
        attached('filename="invoice\u202efdp.exe"'.encode(), b"x"),
        attached(b"filename*0*=utf-8''%C5%BC%C3%B3; filename*1*=%C5%82w.pdf", b"x"),
        attached(b'filename="=?utf-8?b?0L7RhNC10YDRgtCwLmRvYw==?="', b"x"),
        attached(b"", b"x", b"image/jpeg"),
    )
    files = reading.read(raw).files
    assert [one.name for one in files] == ["passwd", "invoicefdp.exe", "żółw.pdf", "оферта.doc", "file-6.jpg"]
    assert [one.is_risky for one in files] == [False, True, False, False, False]
    assert reading.part(raw, files[2].number)[1] == b"x"
    assert reading.part(raw, 99) is None


def test_an_envelope_of_outlook_is_named():
    (file,) = reading.read(mail(plain(b"x"), attached(b"filename=winmail.dat", b"x"))).files
    assert file.is_winmail


def test_only_pictures_of_pixels_and_plain_text_may_be_looked_at():
    raw = mail(
        plain(b"x"),
        attached(b"filename=a.png", PNG, b"image/png"),
        attached(b"filename=a.svg", b"<svg/>", b"image/svg+xml"),
        attached(b"filename=a.html", b"<p>", b"text/html"),
        attached(b"filename=a.txt", b"hello", b"text/plain"),
        attached(b"filename=a.pdf", b"%PDF", b"application/pdf"),
    )
    seen = {one.name: one.is_viewable for one in reading.read(raw).files}
    assert seen == {"a.png": True, "a.svg": False, "a.html": False, "a.txt": True, "a.pdf": False}


@pytest.mark.parametrize(
    ("declared", "written", "words"),
    [
        (b"", "cp1250", "Zażółć gęślą jaźń, dziękujemy za ofertę"),
        (b"; charset=us-ascii", "utf-8", "Zażółć gęślą jaźń"),
        (b"; charset=nonsense", "cp1251", "Благодаря за офертата, ще отговоря утре"),
        (b"; charset=iso-8859-1", "utf-8", "Dziękuję"),
        (b"; charset=iso-8859-1", "cp1252", "“So” – he said"),
        (b"; charset=koi8-r", "koi8-r", "Добрый день"),
        (b"; charset=unicode_escape", "ascii", r"\x41"),
    ],
)
def test_letters_are_read_although_the_charset_is_missing_or_wrong(declared, written, words):
    raw = b"Content-Type: text/plain%s\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" % declared
    assert reading.read(raw + words.encode(written)).text == words


def test_broken_mails_are_shown_as_far_as_they_go():
    for raw in (
        b"",
        b"\0\0\0",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\nno part at all",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>cut",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\n" * 5000,
        b"Content-Transfer-Encoding: base64\r\n\r\n!!!!aGVsbG8",
    ):
        reading.page(reading.read(raw))
    assert reading.read(b"Content-Transfer-Encoding: base64\r\n\r\n!!!!aGVsbG8").text == "hello"


BOMBS = {
    "attributes": "<a " + " ".join(f'a{n}="1"' for n in range(60_000)) + ">x</a>",
    "attributes without blanks": "<a " + "".join(f'a{n}=""' for n in range(60_000)) + ">x</a>",
    "formatting that is opened anew": "<p>"
    + "".join(f"<b title=c{n}>" for n in range(240))
    + "</p>"
    + "<p>x" * 90_000,
    "foster parents": "<table>" + "x<b>" * 200 + "<tr>x" * 60_000,
    "nesting": "<div>" * 100_000,
    "ampersands": "&" * 400_000,
    "angles": "<" * 400_000,
    "pictures": "<img src=http://x.example/y>" * 15_000,
    "quotations": "<blockquote>" * 200 + "x" + "<blockquote></blockquote>" * 15_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_of_html_takes_neither_time_nor_memory(name):
    begin = time.process_time()
    shown = reading.read(html(BOMBS[name].encode()))
    page = quote.fold(reading.page(shown).html, "quoted")
    assert time.process_time() - begin < 3
    assert len(page) < 4_000_000


def test_a_mail_of_fifty_megabytes_is_taken_apart_quickly():
    raw = mail(plain(b"see the film"), attached(b"filename=film.mp4", b"\1" * 36_000_000, b"video/mp4"))
    begin = time.process_time()
    shown = reading.read(raw)
    assert time.process_time() - begin < 1
    assert shown.text == "see the film"
    assert shown.files[0].size_bytes == pytest.approx(36_000_000, abs=4)


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Yes.\n\nOn Mon, 2 Nov 2026, Ann wrote:\n> Will you?\n", "Yes."),
        ("Tak.\n\nW dniu 2.11.2026 o 10:00, Ann pisze:\n> Czy?\n> Tak?", "Tak."),
        ("Да.\n\nНа пн, 2.11.2026 г. в 10:00 Ann <a@b.example> написа:\n\n> Ще ли?", "Да."),
        ("Yes.\n\n-----Original Message-----\nFrom: Ann\nSent: today\nWill you?", "Yes."),
        ("Yes.\n\n> Will you?\n> Really?", "Yes."),
    ],
)
def test_the_quoted_part_is_found(text, own):
    assert quote.split(text)[0] == own
    assert quote.split(text)[1]


def test_answers_between_quoted_lines_are_not_folded_away():
    text = "Hello,\n> one?\nyes\n> two?\nno\n> three?\nperhaps\n> four?\nnever"
    assert quote.split(text) == (text, "")
    assert quote.split("> only a quotation") == ("> only a quotation", "")


def test_a_quotation_in_html_is_folded_unless_it_is_all_there_is():
    folded = quote.fold("<p>Yes</p><blockquote>a<blockquote>b</blockquote></blockquote><p>Ben</p>", "quoted")
    assert folded.count("<details>") == folded.count("</details>") == 1
    assert folded.startswith("<p>Yes</p><details><summary>quoted</summary><blockquote>a")
    alone = "<blockquote>a</blockquote>"
    assert quote.fold(alone, "quoted") == alone


def test_a_name_of_a_file_is_never_longer_than_can_be_stored():
    assert len(safe_name("x" * 5000 + ".pdf")) <= 121
    assert safe_name("x" * 5000 + ".pdf").endswith(".pdf")
    assert safe_name("C:\\temp\\..\\a:b.txt") == "a_b.txt"
