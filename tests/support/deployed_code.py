"""The deployed functions with other files for a while, as an installation's own would be."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from zipfile import ZIP_STORED, ZipFile

from mailstep_local.cloud import LocalCloud
from tests.support.project import PROJECT

BUILT = PROJECT / ".aws-sam" / "build" / "ProcessFunction"


@contextmanager
def deployed_with(cloud: LocalCloud, added: dict[str, str]) -> Iterator[None]:
    """All functions with these files beside or instead of theirs."""
    update_code(cloud, added)
    try:
        yield
    finally:
        update_code(cloud, {})


def update_code(cloud: LocalCloud, added: dict[str, str]) -> None:
    bundle = {str(path.relative_to(BUILT)): path.read_bytes() for path in BUILT.rglob("*") if path.is_file()}
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_STORED) as archive:
        for name, content in (bundle | {name: text.encode() for name, text in added.items()}).items():
            archive.writestr(name, content)
    for function in ("StartFunction", "ParseFunction", "ValidateFunction", "ProcessFunction", "ReplyFunction"):
        cloud.account.client("lambda").update_function_code(
            FunctionName=cloud.functions[function], ZipFile=packed.getvalue()
        )
