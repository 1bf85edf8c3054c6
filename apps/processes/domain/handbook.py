"""Handbooks: processes in and out as Markdown files, one or a folder of them, and the templates mops ships."""

import io
import stat
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.text import slugify

from apps.core import access
from apps.core.access_log import log_access
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.words import fitting
from apps.processes.domain.document import LONGEST_TITLE, Document, Remark
from apps.processes.domain.flow import flow_of, write_flow
from apps.processes.domain.markdown_file import read_file, write_file
from apps.processes.domain.publishing import refuse_draft, write_draft
from apps.processes.domain.step_roles import refuse_roles, unlisted
from apps.processes.enums import Classification, Family, StakeholderAccess
from apps.processes.models import Process, SOPVersion

if TYPE_CHECKING:
    from apps.accounts.models import User

MOST_FILES, MOST_BYTES, MOST_OF_ONE = 200, 5_000_000, 1_000_000
SUFFIXES = (".md", ".markdown")
TEMPLATES = Path(__file__).resolve().parent.parent / "handbook"
_COLUMNS = (
    *("family", "criticality", "level", "classification", "stakeholder_access", "review_every"),
    *("summary", "persona", "consulted", "informed", "channels", "starts_with"),
)


@dataclass
class Outcome:
    """What becomes, or became, of one file."""

    name: str
    title: str = ""
    what: str = ""
    remarks: list[Remark] = field(default_factory=list)
    version: SOPVersion | None = None
    document: Document | None = None

    @property
    def is_refused(self) -> bool:
        """Whether it stays out."""
        return any(each.is_refusal for each in self.remarks)


def is_markdown(name: str) -> bool:
    """Whether a file calls itself Markdown."""
    return name.lower().endswith(SUFFIXES) and not _is_noise(name)


def unpack(name: str, content: bytes) -> list[tuple[str, str]]:
    """Return the Markdown files of an upload, (name, text), in the order of their names.

    Nothing is written to disk. A zip is read piece by piece against limits of its own, whatever its directory claims.

    Raises:
        InvalidInput: it is neither Markdown nor a zip of Markdown files within the limits.
    """
    if zipfile.is_zipfile(io.BytesIO(content)):
        return _unzip(name, content)
    if name.lower().endswith(".zip"):
        raise InvalidInput(f"{name} is damaged or no zip; pack it again.")
    if not name.lower().endswith(SUFFIXES):
        raise InvalidInput(f"{name} is no Markdown file: send .md files, or one .zip of them.")
    if len(content) > MOST_OF_ONE:
        raise InvalidInput(f"{name} has more than {MOST_OF_ONE // 1_000_000} MB; split it.")
    return [(name, _text(name, content))]


def _unzip(name: str, content: bytes) -> list[tuple[str, str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [each for each in archive.infolist() if not each.is_dir()]
            if len(entries) > MOST_FILES:
                raise InvalidInput(f"{name} holds {len(entries)} files; the most at once are {MOST_FILES}.")
            found, total = [], 0
            for entry in sorted(entries, key=lambda each: each.filename):
                _refuse_entry(name, entry)
                if not is_markdown(entry.filename):
                    continue
                with archive.open(entry) as stream:
                    data = stream.read(MOST_OF_ONE + 1)
                total += len(data)
                if len(data) > MOST_OF_ONE or total > MOST_BYTES:
                    raise InvalidInput(f"{name} unpacks to more than it may: {MOST_BYTES // 1_000_000} MB in all.")
                found.append((entry.filename, _text(entry.filename, data)))
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError, RuntimeError) as error:
        raise InvalidInput(f"{name} is damaged or packed in a way mops does not open; pack it again.") from error
    except ValueError as error:
        raise InvalidInput(f"{name} is damaged; pack it again.") from error
    if not found:
        raise InvalidInput(f"{name} holds no Markdown file (.md).")
    return found


def _refuse_entry(name: str, entry: zipfile.ZipInfo) -> None:
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in entry.filename:
        raise InvalidInput(f"{name} holds a file that points outside of it; pack it again from its folder.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise InvalidInput(f"{name} holds a link instead of a file; pack the files themselves.")
    if entry.flag_bits & 0x1:
        raise InvalidInput(f"{name} is protected by a password; pack it without one.")


def _is_noise(name: str) -> bool:
    """Whether it is what operating systems add to archives."""
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1].startswith("._")


def _text(name: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{name} is not text in UTF-8; save it as UTF-8 and send it again.") from error


def check_files(files: Iterable[tuple[str, str]], *, by: "User") -> list[Outcome]:
    """Say for each file what would become of it; changes nothing."""
    found, seen = [], dict[str, str]()
    for name, text in files:
        document = read_file(text, name)
        outcome = Outcome(name, document.title, "", list(document.remarks), document=document)
        low = document.title.lower()
        if low and low in seen:
            outcome.remarks.append(Remark(1, f"{seen[low]} has this title already; give one of them another.", True))
        seen.setdefault(low, name)
        if not outcome.is_refused:
            _judge(outcome, document, by)
            _judge_roles(outcome, document, by)
        found.append(outcome)
    return found


def _judge(outcome: Outcome, document: Document, by: "User") -> None:
    existing = Process.objects.filter(title__iexact=document.title).first()
    if existing is None:
        closed = document.facts.get("stakeholder_access") == StakeholderAccess.STAKEHOLDERS
        if not access.has_model_permission(by, "add", Process):
            outcome.remarks.append(Remark(1, "You may not add processes.", True))
        elif document.facts.get("classification") == Classification.RESTRICTED and not closed:
            said = "What is restricted is for its stakeholders only; add “open to: stakeholders”."
            outcome.remarks.append(Remark(1, said, True))
        outcome.what = "A new process with a first draft"
        if "family" not in document.facts:
            outcome.remarks.append(Remark(1, "It names no family; it comes in under operations."))
        return
    is_seen = bool(access.may(by, "view", existing))
    outcome.what = f"A new draft of {existing}" if is_seen else ""
    refused = refuse_draft(by, existing) if is_seen else "There is a process of this title."
    if refused:
        outcome.remarks.append(Remark(1, refused, True))
    elif document.facts:
        said = "The process exists, so only text, steps and questions come in; change the rest on its page."
        outcome.remarks.append(Remark(1, said))


def _judge_roles(outcome: Outcome, document: Document, by: "User") -> None:
    """Say which roles come with a file; one that is archived stays out with it."""
    new = unlisted(document.flow)
    if refused := refuse_roles(by, document.flow, new_roles=new):
        outcome.remarks.append(Remark(0, refused, True))
    elif new:
        said = "a role that does not exist yet and is" if len(new) == 1 else "roles that do not exist yet and are"
        names = ", ".join(new)
        outcome.remarks.append(
            Remark(0, f"It names {said} added with it: {names}. Say who plays it before you send it.")
        )


def import_files(files: Iterable[tuple[str, str]], *, by: "User") -> list[Outcome]:
    """Bring files in as drafts: each whole or not at all, the refused ones named with why.

    Raises:
        NotAllowed: `by` may neither add nor change processes.
    """
    if not access.has_model_permission(by, "add", Process):
        raise NotAllowed("You may not add processes.")
    outcomes = check_files(files, by=by)
    for outcome in outcomes:
        if not outcome.is_refused and outcome.document is not None:
            outcome.version = _bring_in(outcome.document, by=by)
    return outcomes


def _bring_in(document: Document, *, by: "User") -> SOPVersion:
    with transaction.atomic(), acting_as(by, reason="Brought in as a Markdown file"):
        process: Process | None = Process.objects.filter(title__iexact=document.title).first()
        if process is None:
            given = {name: document.facts[name] for name in _COLUMNS if name in document.facts}
            process = Process.objects.create(
                title=document.title, **{"family": Family.OPERATIONS, "owner_person": by, **given}
            )
        version = write_draft(process, by=by)
        version.body, version.questions = document.body, document.questions
        version.change_log, version.is_material = document.change_log, document.is_material
        version.save()
        write_flow(version, document.flow, new_roles=unlisted(document.flow))
    return version


def document_of(version: SOPVersion) -> Document:
    """Return a version as a document, with what its process is."""
    process = version.process
    return Document(
        title=process.title,
        facts={name: getattr(process, name) for name in _COLUMNS},
        body=version.body,
        flow=flow_of(version),
        questions=version.questions,
        change_log=version.change_log,
        is_material=version.is_material,
    )


def export_version(version: SOPVersion, *, by: "User") -> tuple[str, str]:
    """Return (file name, Markdown) of one version; written down as an access.

    Raises:
        NotAllowed: `by` may not see it.
    """
    if not access.may(by, "view", version):
        raise NotAllowed("You may not see this version.")
    log_access("export", by=by, thing=version, detail={"format": "markdown"})
    return f"{slugify(version.process.title) or 'process'}.md", write_file(document_of(version))


def export_handbook(*, by: "User") -> bytes:
    """Return a zip with every process in force that `by` sees, a folder per family; written down as an access."""
    versions = access.visible(by, SOPVersion).filter(state="effective", process__archived_at__isnull=True)
    held, names = io.BytesIO(), set[str]()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for version in versions.select_related("process").order_by("process__family", "process__title"):
            base = f"{version.process.family}/{slugify(version.process.title) or 'process'}"
            name = base if base not in names else f"{base}-{version.process_id}"
            names.add(name)
            archive.writestr(f"{name}.md", write_file(document_of(version)))
    log_access("export", by=by, detail={"format": "markdown", "processes": len(names)})
    return held.getvalue()


@dataclass(frozen=True)
class Template:
    """One process that mops ships, to start from."""

    key: str
    document: Document


@cache
def templates() -> tuple[Template, ...]:
    """Return the templates that mops ships: standard processes, recurring ones, and two ways to set things up."""
    files = sorted(TEMPLATES.glob("*.md"))
    return tuple(Template(file.stem, read_file(file.read_text(encoding="utf-8"), file.name)) for file in files)


def start_from_template(key: str, *, by: "User", title: str = "") -> SOPVersion:
    """Make a process with a first draft from a template.

    Raises:
        InvalidInput: there is no such template, the title is too long, a process of it exists, or it names an archived
            role.
        NotAllowed: `by` may not add processes.
    """
    if not access.has_model_permission(by, "add", Process):
        raise NotAllowed("You may not add processes.")
    template = next((each for each in templates() if each.key == key), None)
    if template is None:
        raise InvalidInput("There is no such template.")
    document = template.document
    name = fitting(" ".join(title.split()), LONGEST_TITLE, field="title", what="The title") or document.title
    if Process.objects.filter(title__iexact=name).exists():
        raise InvalidInput(f"There is already a process called {name}; give the new one another title.")
    if refused := refuse_roles(by, document.flow, new_roles=unlisted(document.flow)):
        raise InvalidInput(refused)
    with transaction.atomic(), acting_as(by, reason=f"From the template {document.title}"):
        return _bring_in(Document(**{**vars(document), "title": name}), by=by)
