"""Refusals of good requests that are right, and that Schemathesis cannot know.

All else that it finds is told. The requests are sent all the same, and their answers held against every other check.
"""

import json
from urllib.parse import unquote

import schemathesis
from schemathesis.openapi.checks import RejectedPositiveData

# Names that would alter every object: the framework refuses a body with one, wherever it stands in it, as
# test/integration/security/surface.test.ts wants it. A schema cannot say so.
FORBIDDEN_NAMES = ('"__proto__"', '"constructor"')


@schemathesis.hook
def filter_failure(context, failure, case, response):
    if not isinstance(failure, RejectedPositiveData):
        return True
    body = json.dumps(case.body) if isinstance(case.body, (dict, list)) else ""
    return not any(name in body for name in FORBIDDEN_NAMES) and not _is_mangled(case.path_parameters)


def _is_mangled(path_parameters):
    """Schemathesis decodes a value that holds percent signs, before it encodes it: %F1 in an id is sent as U+FFFD."""
    return any("\ufffd" in unquote(unquote(str(value))) for value in (path_parameters or {}).values())
