"""Thirty texts that try to become a script, each in its own way, and the mark they would leave (T05)."""

MARK = "__hacked"
HIT = f"window.{MARK}=1"
STRINGS: tuple[str, ...] = (
    f"<script>{HIT}</script>",
    f"</script><script>{HIT}</script>",
    f"<img src=x onerror={HIT}>",
    f'"><img src=x onerror="{HIT}">',
    f"'><img src=x onerror='{HIT}'>",
    f"<svg onload={HIT}>",
    f"<svg><script>{HIT}</script></svg>",
    f"<svg><animate onbegin={HIT} attributeName=x dur=1s>",
    f"<body onload={HIT}>",
    f"<iframe srcdoc='<script>parent.{MARK}=1</script>'></iframe>",
    f"<iframe src=javascript:parent.{MARK}=1></iframe>",
    f"javascript:{HIT}//",
    f"JaVaScRiPt:{HIT}//",
    f"data:text/html,<script>opener.{MARK}=1</script>",
    f'" autofocus onfocus="{HIT}" x="',
    f"' onmouseover='{HIT}' x='",
    f"<details open ontoggle={HIT}>",
    f"<input autofocus onfocus={HIT}>",
    f"<math><mtext></form><form><mglyph><style></math><img src onerror={HIT}>",
    f"<style>@import 'javascript:{HIT}';</style>",
    f"{{{{ constructor.constructor('{HIT}')() }}}}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}{% for x in () %}{% endfor %}",
    f"${{{HIT}}}`${{{HIT}}}`",
    f"--></title></textarea></style><script>{HIT}</script><!--",
    f"\\u003cscript\\u003e{HIT}\\u003c/script\\u003e",
    f"&lt;script&gt;{HIT}&lt;/script&gt;&#60;img src=x onerror={HIT}&#62;",
    f"<div hx-on:click='{HIT}' hx-get='/' hx-trigger='load'>x</div>",
    f"<template><script>{HIT}</script></template><noscript><p title='</noscript><img src=x onerror={HIT}>'>",
    f"';{HIT};//\";{HIT};//\n{HIT}//",
    f"‮<ScRiPt>{HIT}</sCrIpT>‬\u2028{HIT}\u2029",
)
assert len(STRINGS) == 30
# On one line, as a name has to be.
NAMES = tuple("".join(letter for letter in text if letter.isprintable()) for text in STRINGS)
