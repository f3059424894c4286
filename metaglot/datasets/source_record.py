"""Where the raw data came from, and by what it can be known again."""

from pathlib import Path

from pydantic import ValidationError

from metaglot.core.common.atomic_files import read_json, sha256
from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import Dataset, StrictModel


class ArchiveRecord(StrictModel):
    """One archive. content_sha256: of its drawings, however packed. file_sha256, bytes: of the file as it is."""

    images: int
    content_sha256: str
    file_sha256: str
    bytes: int


class SourceRecord(StrictModel):
    """The record beside the archives, source.json. source: an address, a folder, or `generated`."""

    dataset: Dataset
    source: str
    archives: dict[str, ArchiveRecord]


def read_source(path: Path) -> SourceRecord:
    """Read the record; one that is missing, malformed or no such record is refused by name."""
    try:
        return SourceRecord.model_validate(read_json(path))
    except ValidationError as mistakes:
        first = mistakes.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        raise UserError(f"{path}: {key}: {first['msg']}; run `python -m stages.download` again") from None


def check_archive(folder: Path, name: str, source: SourceRecord) -> Path:
    """Return the path of an archive; raises UserError unless it is the one on record."""
    path, held = folder / f"{name}.zip", source.archives.get(name)
    if held is None or not path.is_file() or sha256(path) != held.file_sha256:
        found = "changed since it was downloaded" if path.is_file() else "not there"
        raise UserError(f"{path} is {found}; run `python -m stages.download` again")
    return path
