"""Forms out of settings models (DESIGN §9): any node's, a stranger's too, without a line of JavaScript in the node.

`build` makes the tree that `templates/macros/forms.html` draws, `read` turns what was sent back into settings. Pure:
knows no database, no request, and no node by name.
"""

from app.forms.fields import ROOT, Field, Form, build, read
from app.forms.posted import Deed, Posted
from app.forms.shapes import ABSENT, Shape, shape_of

__all__ = ["ABSENT", "ROOT", "Deed", "Field", "Form", "Posted", "Shape", "build", "read", "shape_of"]
