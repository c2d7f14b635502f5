"""Reads a configuration folder as a whole: the frozen settings, or every mistake at once (promise 11)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from fhir_mappers.errors import BadProfile
from fhir_mappers.profile import VendorProfile
from fhir_mappers.profile import resolve as resolve_vendor
from hl7_listener.tls import BadCertificate, TlsFiles, server_context
from integration.domain.catalog_inheritance import BadExtends, whole
from integration.domain.failure import WrongErrorCodes, failures
from integration.domain.text_lint import lint
from integration.domain.text_template import choices
from integration.domain.wording import Catalog, CatalogError, PracticeWords, check_practice
from integration.settings.build import a_feed, a_plan, a_practice, the_caps, the_sending, the_write_back
from integration.settings.complaints import of_validation
from integration.settings.files import SHIPPED, ConfigFolder
from integration.settings.lawfulness import unlawful
from integration.settings.mistakes import ConfigError, Mistake
from integration.settings.model import Settings
from integration.settings.plan_check import at_once, at_other_times, timeless, without_text
from integration.settings.schema import FeedFile, SettingsFile
from integration.settings.schema_practice import PracticeFile, RemindersFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from integration.domain.failure import Failure
    from integration.settings.files import ConfigFiles, Document
    from integration.settings.model import Feed, Practice

FileShape = TypeVar("FileShape", bound=BaseModel)

GENERIC: Final = "generic"  # the profile of a FHIR feed, which needs none
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_NO_EXTENDS: Final = 'missing; a vendor that does not say everything begins with extends = "generic"'
_PLAN_KEYS: Final = ("settle", "evening", "hours", "caps", "steps")


def load(config: Path, shipped: Path = SHIPPED) -> Settings:
    """Everything in a configuration folder, laid over the shipped one.

    Raises ConfigError with every mistake of every file, also those between files.
    """
    return load_from(ConfigFolder(config, shipped))


def load_from(files: ConfigFiles) -> Settings:
    """The same, wherever the files are. Raises ConfigError as `load` does."""
    reading = _Reading(files)
    settings = reading.settings()
    if settings is None or reading.mistakes:
        raise ConfigError(reading.mistakes)
    return settings


@dataclass(slots=True)
class _Reading:
    """One reading of a folder; goes on after a mistake to find the others."""

    folder: ConfigFiles
    mistakes: list[Mistake] = field(init=False)

    def __post_init__(self) -> None:
        self.mistakes = self.folder.mistakes

    def settings(self) -> Settings | None:
        """The settings, or None when a mistake leaves too little of them."""
        site = self._shape(SettingsFile, self.folder.single("settings.toml"))
        reminders = self.folder.single("reminders.toml")
        plan = self._shape(RemindersFile, reminders)
        codes = self._failures(self.folder.single("error_codes.toml"))
        catalogs = self._catalogs()
        vendors = self._vendors()
        practices = self._practices(site, reminders, catalogs)
        feeds = self._feeds(vendors, practices)
        self._wording(practices, catalogs)
        if site is None or plan is None:
            return None
        return Settings(
            mode=site.mode,
            allowed_numbers=frozenset(site.allowed_numbers),
            feeds={name: feed for name, feed in feeds.items() if feed},
            practices={name: practice for name, practice in practices.items() if practice},
            catalogs={name: catalog for name, catalog in catalogs.items() if catalog},
            failures=codes,
            sending=the_sending(site.sending),
            write_back=the_write_back(site.write_back),
            vendors={name: vendor for name, vendor in vendors.items() if vendor},
        )

    # Each of these maps a name to None when its file is there but wrong: who refers to it is not wrong too.

    def _failures(self, document: Document) -> Mapping[str, Failure]:
        found: dict[str, Failure] = {}
        for provider, table in document.data.items():
            if not isinstance(table, dict):
                self._note(document, provider, "must be a table of one provider's codes, such as [twilio]")
                continue
            try:
                found |= failures(table)
            except WrongErrorCodes as wrong:
                for code, what in wrong.mistakes.items():
                    self._note(document, f"{provider}.{code}", what)
        return found

    def _catalogs(self) -> dict[str, Catalog | None]:
        found: dict[str, Catalog | None] = {}
        documents = {document.name: document for document in self.folder.each("messages")}
        raw = {name: document.data for name, document in documents.items()}
        for document in documents.values():
            found[document.name] = None
            if not document.data:
                continue
            try:
                found[document.name] = Catalog.from_mapping(document.name, whole(document.name, raw))
            except BadExtends as error:
                self._note(document, "extends", str(error))
            except CatalogError as error:
                told = [mistake.partition(": ")[::2] for mistake in error.mistakes]
                absent = tuple(f"{key}." for key, text in told if text.startswith("missing; must be a table"))
                for key, text in told:
                    if not key.startswith(absent):  # a table that is missing lacks all that is in it
                        self._note(document, key, text)
        return found

    def _vendors(self) -> dict[str, VendorProfile | None]:
        documents = {document.name: document for document in self.folder.each("vendors")}
        raw = {name: document.data for name, document in documents.items() if document.data}
        found: dict[str, VendorProfile | None] = dict.fromkeys(documents)
        told: dict[str, list[Mistake]] = {}
        for name in raw:
            try:
                found[name] = resolve_vendor(name, raw)
            except BadProfile as error:
                if error.name not in documents:
                    self._note(documents[name], "extends", f"unknown vendor; {choices(error.name, raw)}")
                elif error.name in raw:
                    self._note(documents[error.name], "extends", error.text)
            except ValidationError as error:
                told[name] = list(of_validation(documents[name].file, VendorProfile, error))
        for name, mistakes in told.items():
            inherited = {(each.key, each.text) for each in told.get(str(raw[name].get("extends")), ())}
            own = [each for each in mistakes if (each.key, each.text) not in inherited]
            if "extends" not in raw[name] and any(each.text.startswith("missing") for each in own):
                self._note(documents[name], "extends", _NO_EXTENDS)
                own = [each for each in own if not each.text.startswith("missing")]
            self.mistakes += own
        return found

    def _practices(
        self,
        site: SettingsFile | None,
        reminders: Document,
        catalogs: Mapping[str, Catalog | None],
    ) -> dict[str, Practice | None]:
        found: dict[str, Practice | None] = {}
        serving = []
        for document in self.folder.each("practices"):
            found[document.name] = None
            self._name(document)
            file = self._shape(PracticeFile, document)
            plan = self._plan_of(document, reminders) if reminders.data else None
            self._languages(document, reminders, plan, catalogs)
            for step, text in at_once(plan) if plan else ():
                self._of_step(document, reminders, step, text)
            if document.data.get("serves_unclaimed") is True:
                serving.append(document.name)
            if file is not None and plan is not None:
                settle = None if site is None else site.sending.settle
                spoken = [each for each in map(catalogs.get, file.languages) if each is not None]
                rules = a_plan(plan, file.zone, settle, timeless(spoken))
                practice = a_practice(document.name, file, rules, the_caps(plan.caps))
                self.mistakes += unlawful(practice)
                found[document.name] = practice
        for name in serving[1:]:
            text = f"so does {serving[0]}; one practice may take what nobody claims"
            self.mistakes.append(Mistake(f"practices/{name}.toml", "serves_unclaimed", text))
        return found

    def _plan_of(self, document: Document, reminders: Document) -> RemindersFile | None:
        """The plan with what a practice says of it; what is wrong with the plan is said of the plan alone."""
        own: dict[str, Any] = {key: document.data[key] for key in _PLAN_KEYS if key in document.data}
        for key in ("hours", "caps", "steps"):
            if not isinstance(own.get(key, {}), dict):
                return None  # the practice's own shape tells
        try:
            return RemindersFile.model_validate(_merge(at_other_times(reminders.data, own), own))
        except ValidationError as error:
            of_the_plan = {(each.key, each.text) for each in self.mistakes if each.file == reminders.file}
            told = of_validation(document.file, RemindersFile, error)
            self.mistakes += [each for each in told if (each.key, each.text) not in of_the_plan]
            return None

    def _languages(
        self,
        document: Document,
        reminders: Document,
        plan: RemindersFile | None,
        catalogs: Mapping[str, Catalog | None],
    ) -> None:
        listed = document.data.get("languages")
        for place, language in enumerate(listed if isinstance(listed, list) else ()):
            if not isinstance(language, str):
                continue  # the practice's own shape tells
            if language not in catalogs:
                text = f"there is no messages/{language}.toml; {choices(language, catalogs)}"
                self._note(document, f"languages.{place}", text)
            catalog = catalogs.get(language)
            if catalog is None:
                continue
            for step, text in without_text(plan, catalog, language) if plan else ():
                self._of_step(document, reminders, step, text)

    def _of_step(self, document: Document, reminders: Document, step: str, text: str) -> None:
        """What is wrong with a step is said where it is written."""
        theirs = step in document.data.get("steps", {})
        mistake = Mistake((document if theirs else reminders).file, f"steps.{step}", text)
        if mistake not in self.mistakes:
            self.mistakes.append(mistake)

    def _feeds(
        self, vendors: Mapping[str, VendorProfile | None], practices: Mapping[str, Practice | None]
    ) -> dict[str, Feed | None]:
        found: dict[str, Feed | None] = {}
        ports: dict[int | None, str] = {}
        for document in self.folder.each("feeds"):
            found[document.name] = None
            self._name(document)
            file = self._shape(FeedFile, document)
            self._refers(document, document.data, "vendor", vendors)
            locations = document.data.get("locations")
            for code, location in locations.items() if isinstance(locations, dict) else ():
                if isinstance(location, dict):
                    self._refers(document, location, "practice", practices, f"locations.{code}.")
            if file is None:
                continue
            other = document.file if file.fhir else ports.setdefault(file.port, document.file)
            if other != document.file:
                self._note(document, "port", f"{other} listens there; each feed needs a port of its own")
            self._certificate(document, file)
            if file.fhir is not None and file.fhir.poll_by == "location" and not file.locations:
                self._note(document, "fhir.poll_by", "asks location by location: write them in [locations]")
            vendor = vendors.get(file.vendor or GENERIC)
            if vendor is not None:
                found[document.name] = a_feed(document.name, file, vendor)
        self._reconciles(found)
        return found

    def _reconciles(self, feeds: Mapping[str, Feed | None]) -> None:
        """Whether there is something to reconcile with: such a feed alone would text about nothing."""
        if None in feeds.values():
            return  # it may be the one
        known = [feed for feed in feeds.values() if feed is not None]
        creating = {each.scope for each in known if each.fhir is None or each.fhir.role == "create"}
        for feed in known:
            if feed.fhir is not None and feed.fhir.role == "reconcile" and feed.scope not in creating:
                scopes = ", ".join(sorted(creating)) or "none"
                text = f"no other feed of this scope tells of appointments; scopes of those that do: {scopes}"
                self.mistakes.append(Mistake(f"feeds/{feed.name}.toml", "scope", text))

    def _certificate(self, document: Document, file: FeedFile) -> None:
        """Whether the listener could secure its port with these files."""
        certificate, key = file.mllp.certificate, file.mllp.key
        if certificate is None or key is None:
            return
        try:
            server_context(TlsFiles(certificate, key, file.mllp.clients_ca))
        except BadCertificate as error:
            self._note(document, f"mllp.{error.key}", error.text)

    def _wording(
        self,
        practices: Mapping[str, Practice | None],
        catalogs: Mapping[str, Catalog | None],
    ) -> None:
        """Whether every text can be written with each practice's name and phone."""
        for practice in filter(None, practices.values()):
            words = PracticeWords(practice.public_name, practice.phone, practice.emergency)
            told = lint(practice.public_name, (catalog.lint for catalog in filter(None, catalogs.values())))
            for finding in () if practice.name_may_tell else told:
                text = (
                    f'"{finding.word}": {finding.kind} content in every text; choose a plainer name, '
                    "or write name_may_tell = true"
                )
                self.mistakes.append(Mistake(f"practices/{practice.name}.toml", "public_name", text))
            for catalog in filter(None, map(catalogs.get, practice.languages)):
                for sentence in check_practice(
                    catalog,
                    words,
                    show_zone=True,  # a patient may live by another clock
                    max_segments=practice.max_segments,
                    zone=practice.plan.zone,
                ):
                    file = f"practices/{practice.name}.toml"
                    self.mistakes.append(Mistake(file, "public_name", sentence))

    def _refers(
        self,
        document: Document,
        table: Mapping[str, Any],
        key: str,
        known: Mapping[str, object],
        where: str = "",
    ) -> None:
        """Whether what a key names exists; looked at although the file may have another mistake."""
        named = table.get(key)
        if isinstance(named, str) and named not in known:
            self._note(document, f"{where}{key}", f"unknown {key}; {choices(named, known)}")

    def _name(self, document: Document) -> None:
        if not _NAME.fullmatch(document.name):
            self._note(document, "", "its name may hold small letters, digits, - and _")

    def _shape(self, shape: type[FileShape], document: Document) -> FileShape | None:
        if not document.data:
            return None
        try:
            return shape.model_validate(document.data)
        except ValidationError as error:
            self.mistakes += of_validation(document.file, shape, error)
            return None

    def _note(self, document: Document, key: str, text: str) -> None:
        self.mistakes.append(Mistake(document.file, key, text))


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`, table by table."""
    merged = dict(base)
    for key, value in over.items():
        below = base.get(key)
        both = isinstance(value, dict) and isinstance(below, dict)
        merged[key] = _merge(below, value) if both else value  # type: ignore[arg-type] # `both` looked
    return merged
