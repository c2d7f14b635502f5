"""The way into the chart changes under facts that are on it: none is told twice, none is lost."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import pytest

from integration.adapters.chart import Chart
from integration.adapters.ehr.choosing import Purpose
from integration.domain.write_back import WriteBackKind, WriteBackState
from integration.settings.model import WritingBack
from tests.adapters.ehr.charts import ANA, DELIVERED, MRN, SENT, admit, patient
from tests.adapters.ehr.partner import CLOSE, Partner, pieces
from tests.adapters.ehr.partners_chart import port
from tests.adapters.ehr.strict_server import Asked, Fault, StrictEhr, listening
from tests.adapters.ehr.tooling import tools
from tests.adapters.write_back.story import NO_RECEIPT, Site

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT, REPLY = WriteBackKind.TEXT, WriteBackKind.REPLY
EVERYTHING = {"create", "update", "search-type", "read"}
PAGE = "<html><body>default backend - 404</body></html>"


class Changing(StrictEhr):
    """A server behind a proxy that may stand alone, and that may keep to itself what it called a resource."""

    def __init__(self) -> None:
        super().__init__()
        self.refers_strictly = False
        self.proxy_alone: int | None = None  # the status of its page
        self.restricted: set[str] = set()  # charts

    def house_rule(self, asked: Asked) -> tuple[int, str | None, dict[str, str]] | None:
        if self.proxy_alone is not None:
            return self.proxy_alone, PAGE, {}
        subject = (asked.body or {}).get("subject", {}) if isinstance(asked.body, dict) else {}
        if asked.method == "POST" and subject.get("reference") in self.restricted:
            return 403, None, {}
        return None


@pytest.fixture
def ehr() -> Iterator[Changing]:
    changing = Changing()
    with listening(changing):
        admit(changing)
        yield changing


@pytest.fixture
def site(ehr: Changing) -> Iterator[Site]:
    site = Site(ehr.base_url)
    yield site
    site.close()


def another(ehr: Changing, site: Site, number: int) -> None:
    """The next text is another patient's."""
    identifier = [{"system": MRN, "value": f"P{number}"}]
    ehr.put({**ANA, "identifier": identifier}, f"p{number}")
    with site.store.unit() as unit:
        resource = {**ANA, "identifier": identifier}
        fresh = patient(id=0, identifiers=(f"{MRN}|P{number}",), resource=resource)
        site.patient_id = unit.patients.save(fresh).id


# a proxy without the EHR behind it


@pytest.mark.parametrize("status", [400, 403, 404, 405])
def test_the_page_of_a_proxy_without_its_ehr_is_an_outage_and_no_answer_of_the_ehrs(
    ehr: Changing, site: Site, status: int
) -> None:
    first = site.text(1)
    site.work()
    ehr.proxy_alone = status
    site.news(first, **SENT)
    site.text(2)
    site.work(rounds=3)
    assert site.states() == {WriteBackState.PENDING}
    ehr.proxy_alone = None
    site.work(rounds=3)
    assert site.states() == {WriteBackState.WRITTEN}
    assert sorted(each["status"] for each in ehr.all("Communication")) == ["in-progress", "preparation"]
    assert not site.open_tasks()


def test_a_page_for_one_type_is_the_ehrs_own_no_while_it_shows_what_it_can_do(
    ehr: Changing, site: Site
) -> None:
    ehr.offers["DocumentReference"] = EVERYTHING
    ehr.faults.append(Fault("POST", "Communication", 404, body=PAGE))
    site.text(1)
    site.work(rounds=2)
    assert site.states() == {WriteBackState.WRITTEN}
    assert len(ehr.all("DocumentReference")) == 1


def test_what_the_ehr_said_it_can_do_holds_while_it_will_not_say_it_again(ehr: Changing, site: Site) -> None:
    del ehr.offers["AppointmentResponse"]
    assert site.way(Purpose.ANSWERS) == ""
    ehr.shows_capabilities = False
    site.work(rounds=160)  # more than a day
    assert site.way(Purpose.ANSWERS) == ""


# one chart that is closed to us


def test_one_chart_that_is_closed_to_us_closes_no_other(ehr: Changing, site: Site) -> None:
    site.text(1)
    site.work()
    ehr.restricted = {"Patient/ana"}
    site.text(2)
    site.work()
    ehr.restricted = set()
    site.text(3)
    site.work(rounds=2)
    assert [row.state for row in site.rows()] == ["written", "refused", "written"]
    assert len(site.open_tasks()) == 1


def test_a_type_that_is_closed_to_us_from_now_on_is_soon_no_longer_asked_for(
    ehr: Changing, site: Site
) -> None:
    ehr.offers["DocumentReference"] = EVERYTHING
    site.text(1)
    site.work()
    ehr.faults.extend(Fault("POST", "Communication", 403) for _ in range(20))
    for number in range(2, 12):
        another(ehr, site, number)
        site.text(number)
        site.work()
    assert len(ehr.asked("POST", "Communication")) == 4
    assert len(site.open_tasks()) == 2
    assert len(ehr.all("DocumentReference")) == 8


def test_what_may_have_gone_a_way_that_was_closed_since_is_looked_for(ehr: Changing, site: Site) -> None:
    ehr.conditional_create = False
    ehr.offers |= {"Communication": EVERYTHING, "DocumentReference": EVERYTHING}
    ehr.faults.extend(
        (Fault("POST", "Communication", after_storing=True), Fault("POST", "Communication", 405))
    )
    site.text(1)
    site.text(2)
    site.work(rounds=4)
    assert site.states() == {WriteBackState.WRITTEN}
    assert [len(ehr.all(each)) for each in ("Communication", "DocumentReference")] == [1, 1]


# updates that stop


def test_an_ehr_that_refuses_updates_after_all_gets_each_text_once_when_it_is_final(
    ehr: Changing, site: Site
) -> None:
    ehr.faults.extend(Fault("PUT", "Communication", 405) for _ in range(20))
    for number in range(1, 6):
        another(ehr, site, number)
        text_id = site.text(number)
        site.work()
        site.news(text_id, **DELIVERED)
        site.work()
    assert len(site.open_tasks()) == 3  # these charts stay behind
    assert [each["status"] for each in ehr.all("Communication")] == 3 * ["preparation"] + 2 * ["completed"]


# created, and nobody said under which id


@pytest.mark.parametrize("finds", [True, False])
def test_what_the_ehr_took_without_a_word_where_it_is_is_not_created_again_with_its_news(
    ehr: Changing, site: Site, *, finds: bool
) -> None:
    ehr.conditional_create = False
    ehr.offers["Communication"] = EVERYTHING if finds else {"create", "update", "read"}
    ehr.faults.append(Fault("POST", "Communication", 201, after_storing=True))
    text_id = site.text(1)
    site.work()
    site.news(text_id, **DELIVERED)
    site.work(rounds=4)
    (communication,) = ehr.all("Communication")
    assert communication["status"] == ("completed" if finds else "preparation")
    assert site.states() == {WriteBackState.WRITTEN if finds else WriteBackState.GAVE_UP}


def test_what_is_written_once_without_a_word_where_it_is_stays_one(ehr: Changing, site: Site) -> None:
    ehr.conditional_create = False
    ehr.offers["Communication"] = {"create"}
    ehr.faults.append(Fault("POST", "Communication", 201, after_storing=True))
    text_id = site.text(1, **NO_RECEIPT)
    site.work()
    site.news(text_id, **DELIVERED)
    site.work(rounds=2)
    assert len(ehr.all("Communication")) == 1


def test_a_search_that_lags_does_not_make_two_of_what_was_taken_without_a_word(
    ehr: Changing, site: Site
) -> None:
    ehr.conditional_create = False
    ehr.offers["Communication"] = EVERYTHING
    ehr.matches("Patient", {}, lagging=True)
    ehr.search_lag = 5
    ehr.faults.append(Fault("POST", "Communication", 201, after_storing=True))
    text_id = site.text(1)
    site.work(rounds=3)
    site.news(text_id, **DELIVERED)
    site.work(rounds=8)
    (communication,) = ehr.all("Communication")
    assert communication["status"] == "completed"


# searches that do not serve


def test_an_ehr_that_will_not_be_searched_by_identifier_gets_its_texts_all_the_same(
    ehr: Changing, site: Site
) -> None:
    ehr.conditional_create = False
    ehr.offers["Communication"] = EVERYTHING
    ehr.faults.append(Fault("GET", "Communication", 400))
    site.text(1)
    site.work()
    assert site.states() == {WriteBackState.WRITTEN}


def test_what_is_not_on_the_pages_that_are_read_may_be_there_all_the_same(ehr: Changing, site: Site) -> None:
    ehr.conditional_create = False
    ehr.offers["Communication"] = EVERYTHING
    ehr.ignores_search = True
    ehr.page_size = 1
    for _ in range(9):
        ehr.put({"resourceType": "Communication", "status": "completed"})
    ehr.faults.append(Fault("POST", "Communication", after_storing=True))
    site.text(1)
    site.work(rounds=5)
    assert len(ehr.all("Communication")) == 10
    assert site.states() == {WriteBackState.REFUSED}


# settings that lead elsewhere


def test_news_of_what_went_a_way_that_is_no_more_is_left_out_and_holds_up_no_reply(ehr: Changing) -> None:
    with Partner() as partner:
        site = Site(ehr.base_url, WritingBack(texts="mdm", hl7=port(partner.port)), partner)
        text_id = site.text(1)
        site.work()
        assert site.states() == {WriteBackState.WRITTEN}
        site.chart = Chart(tools(site.client, wall=site.clock.wall))
        site.news(text_id, **NO_RECEIPT)
        site.reply(text_id, "C", "confirm")
        site.work(rounds=2)
        site.close()
    assert site.states(TEXT) == {WriteBackState.GAVE_UP}
    assert site.states(REPLY) == {WriteBackState.WRITTEN}
    assert len(ehr.all("Communication")) == 1


def test_what_may_have_gone_a_way_that_is_no_more_is_a_persons_business(ehr: Changing) -> None:
    with Partner(plans=deque([pieces(CLOSE)] * 9)) as partner:
        site = Site(ehr.base_url, WritingBack(texts="mdm", hl7=port(partner.port)), partner)
        site.text(1)
        site.work()
        site.chart = Chart(tools(site.client, wall=site.clock.wall))
        site.work(rounds=2)
        site.close()
    assert site.states(TEXT) == {WriteBackState.REFUSED}
    assert len(site.open_tasks()) == 1
    assert not ehr.all("Communication")
