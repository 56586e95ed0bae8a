"""Templates lose what HTML does not need, and the document stays the same."""

from __future__ import annotations

from lxml import html

from piperoll.describing.pages.compact_templates import compact_template

TEMPLATE = """\
<ul>
{% for one in ones %}
<li><a href="{{ one }}">A</a> <a href="b.html">B</a></li>
{% endfor %}
</ul>
<table class="wide">
<thead><tr><th scope="col">Name</th></tr></thead>
<tbody>
<tr><td class="count quiet">{{ "<td>" if a > b }}</td></tr>
</tbody>
</table>
<p>one
<strong>two</strong> three</p>
"""


def test_a_template_loses_quotes_end_tags_and_line_breaks_that_html_does_not_need() -> None:
    assert compact_template(TEMPLATE) == (
        '<ul>{% for one in ones %}\n<li><a href="{{ one }}">A</a> <a href=b.html>B</a>{% endfor %}\n</ul>'
        "<table class=wide><thead><tr><th scope=col>Name"
        '<tbody><tr><td class="count quiet">{{ "<td>" if a > b }}</tbody></table>'
        "<p>one\n<strong>two</strong> three</p>"
    )


def test_the_document_is_the_same_as_before() -> None:
    page = TEMPLATE.replace("{% for one in ones %}\n", "").replace("{% endfor %}\n", "").replace('"<td>" if a > b', "")
    before, after = (html.fromstring(f"<div>{text}</div>") for text in (page, compact_template(page)))
    read = [[(one.tag, dict(one.attrib), (one.text or "").split()) for one in page.iter()] for page in (before, after)]
    assert read[0] == read[1]
