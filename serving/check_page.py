"""The page where an officer checks a file."""

from __future__ import annotations

from html import escape

from piperoll import assets
from piperoll.describing.pages.rendering import read_style
from piperoll.errors import DescriptorError

_MAIN = '<main id="main" tabindex="-1">'


def form_page(most_bytes: int) -> str:
    """A page with one file field; it needs no script, and works with a keyboard and on a phone."""
    options = "".join(f'<option value="{escape(one.name)}">{escape(one.title)}</option>' for one in assets.datasets())
    return f"""<!DOCTYPE html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Check a file</title>
<style>{read_style()}</style>
</head>
<body>
<a class="skip" href="#main">Skip to main content</a>
<header class="masthead"><div class="wrap"><span class="name">Check a file</span></div></header>
<div class="wrap">
{_MAIN}
<h1>Check a file before you publish it</h1>
<p>Choose the spreadsheet or CSV that your system gave you. You get a report on what to fix, and in which cell.</p>
<p>The file is read, checked and forgotten: nothing of it is kept.</p>
<form action="/check" method="post" enctype="multipart/form-data">
<p><label for="file">Your file (CSV, Excel, OpenDocument or JSON, up to {most_bytes // 1_000_000} MB)</label><br>
<input id="file" name="file" type="file" required></p>
<p><label for="dataset">What it is about (we find out if you leave it)</label><br>
<select id="dataset" name="dataset"><option value="">Find out</option>{options}</select></p>
<p><label for="period">Which time it covers (we find out if you leave it)</label><br>
<input id="period" name="period" type="text" size="12" autocomplete="off" aria-describedby="period-help"></p>
<p id="period-help">For example 2026-10, 2026-Q4 or 2026-27.</p>
<p><button type="submit">Check the file</button></p>
</form>
</main>
</div>
</body>
</html>
"""


def saved(page: str, whole: str) -> str:
    """A report's page with a way to keep it: the same page as a file, which `whole` is in base64.

    Raises: DescriptorError: the template of the report has no main part any more.
    """
    if page.count(_MAIN) != 1:
        raise DescriptorError("catalogue/report.html has no <main> of the form that a button can be put into")
    button = (
        f'<p><a download="report.html" href="data:text/html;charset=utf-8;base64,{whole}">Save this report</a>'
        ', or print it. <a href="/check">Check another file</a>.</p>'
    )
    return page.replace(_MAIN, f"{_MAIN}\n{button}")
