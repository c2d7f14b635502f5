"""What is wrong between the steps of a plan, its texts and the places of the feeds, with the remedy."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from integration.domain.plan_rules import Ask
from integration.domain.text_template import choices
from integration.domain.visit_filter import folded
from integration.settings.schema_practice import WHEN

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from integration.domain.wording import Catalog
    from integration.settings.model import Practice, Settings
    from integration.settings.schema_practice import RemindersFile, StepSection

_VISITS = ("types", "locations", "except_types", "except_locations")


def at_other_times(plan: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The plan without the times of steps to which a practice gives another kind of time."""
    steps, theirs = plan.get("steps"), own.get("steps", {})
    if not isinstance(steps, dict):
        return dict(plan)

    def without_time(name: str, step: Any) -> Any:
        another = isinstance(theirs.get(name), dict) and any(key in theirs[name] for key in WHEN)
        if not (another and isinstance(step, dict)):
            return step
        return {key: value for key, value in step.items() if key not in WHEN}

    return {**plan, "steps": {name: without_time(name, step) for name, step in steps.items()}}


def timeless(catalogs: Collection[Catalog]) -> frozenset[str]:
    """The occasions of whose texts some do not say when the visit is: they can speak of no other visit."""
    return frozenset(
        occasion
        for catalog in catalogs
        for (occasion, _), forms in catalog.texts.items()
        if any("when" not in form.gaps for form in forms.one)
    )


def without_text(plan: RemindersFile, catalog: Catalog, language: str) -> Iterator[tuple[str, str]]:
    """Step by step, the texts this language lacks: the step's name, and what to do."""
    known = {occasion for occasion, _ in catalog.texts}
    for name, section in plan.steps.items():
        if section.off:
            continue
        occasion = section.text or name
        if occasion not in known:
            remedy = f"{choices(occasion, known)}; or write [texts.{occasion}.inform] there"
            yield name, f"messages/{language}.toml has no text for this step; {remedy}"
        elif section.ask is not Ask.NEVER and (occasion, True) not in catalog.texts:
            remedy = f"write [texts.{occasion}.ask] there, or take `ask` out"
            yield name, f"messages/{language}.toml has no text that asks on this occasion; {remedy}"


def at_once(plan: RemindersFile) -> Iterator[tuple[str, str]]:
    """Steps of which one can never go, or that go to the same visits at the same time."""
    steps = [(name, section) for name, section in plan.steps.items() if not section.off]
    for (name, one), (other_name, other) in combinations(steps, 2):
        if one.on is not None and one.on == other.on and not _says_visits(one):
            text = f"never goes: {name} follows the same event, and comes first; "
            yield other_name, text + f"give {name} `types` or `locations`, or turn one off"
        elif one.on is None and _time(one) == _time(other) and _same_visits(one, other):
            text = f"goes at the same time as {name}, for the same visits, and one text would say both; "
            yield other_name, text + "change its time, its `types` or `locations`, or turn one off"


def unknown_places(settings: Settings) -> Iterator[str]:
    """Places that a plan names and no feed does, one sentence each; the EHR may know them all the same."""
    for practice in settings.practices.values():
        known = _places(settings, practice)
        for step in practice.plan.steps:
            for word in sorted((step.visits.locations | step.visits.except_locations) - known.keys()):
                said = choices(word, sorted(set(known.values()))) if known else "the feeds name none"
                yield (
                    f"practices/{practice.name}.toml: steps.{step.name}: no feed names the location "
                    f'"{word}" of this practice; {said}'
                )


def _places(settings: Settings, practice: Practice) -> Mapping[str, str]:
    words = [
        word
        for feed in settings.feeds.values()
        for code, location in feed.locations.items()
        if location.practice == practice.name
        for word in (code, location.place)
        if word
    ]
    return {folded(word): word for word in words}


def _says_visits(section: StepSection) -> bool:
    return any(getattr(section, key) for key in _VISITS)


def _same_visits(one: StepSection, other: StepSection) -> bool:
    return all(set(getattr(one, key)) == set(getattr(other, key)) for key in _VISITS)


def _time(section: StepSection) -> tuple[object, ...]:
    at = section.at if section.days_ahead is not None or section.days_after is not None else None
    return section.days_ahead, section.hours_ahead, section.days_after, section.hours_after, at
