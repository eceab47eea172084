"""What was typed into a page's form, as texts by name. Never what it means."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import UploadFile

FIELDS_AT_MOST = 300


async def _typed(request: Request) -> dict[str, str]:
    found: dict[str, str] = {}
    async with request.form(max_files=1, max_fields=FIELDS_AT_MOST) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                found[name] = (await value.read()).decode("utf-8", "replace")
                found[f"{name}.name"] = value.filename or ""
            else:
                found[name] = value
    return found


Typed = Annotated[dict[str, str], Depends(_typed)]
