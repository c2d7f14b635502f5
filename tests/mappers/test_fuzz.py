"""Whatever the bytes: a Translation comes back, FHIR accepts it, and nothing is raised."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_mappers.translation import IdentityKeys, Translation
from fhir_mappers.v2_message import V2Message, split_messages
from fhir_mappers.v2_to_fhir import identity_keys, translate
from tests.mappers.building import PROFILE, siu
from tests.mappers.golden import FEEDS, SAMPLES, US
from tests.mappers.test_siu_to_bundle import check_fhir

ORIGINALS = [(path.read_bytes(), FEEDS.get(path.stem, US)) for path in sorted(SAMPLES.glob("*.hl7"))]
# What real interfaces get wrong, and what readers stumble on.
PIECES = st.one_of(
    st.binary(max_size=6),
    st.sampled_from([b"|", b"^", b"~", b"\\", b"&", b"\r", b"\n", b"\x0b", b"\x1c", b"\x00", b'""', b"MSH|"]),
    st.sampled_from(
        [b"\\X", b"\\F\\", b"20271107013000", b"20270314023000", b"99991231235959", b"00010101000000"]
    ),
    st.sampled_from(
        [b"+9999", b"-0500", b"D", b"1e400", b"9" * 40, b"+", b"(", b"\xff", b"\xc3", b"PID|", b"AIS|"]
    ),
)
EDITS = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 30), PIECES), min_size=1, max_size=12)
QUICK = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def edited(raw: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    """Replace some bytes at some places by others."""
    for position, length, piece in edits:
        start = position % (len(raw) + 1)
        raw = raw[:start] + piece + raw[start + length :]
    return raw


@QUICK
@given(st.sampled_from(ORIGINALS), EDITS)
def test_a_damaged_sample_is_mapped_or_refused_and_fhir_accepts_what_is_mapped(
    original: tuple[bytes, object], edits: list[tuple[int, int, bytes]]
) -> None:
    raw, feed = original
    raw = edited(raw, edits)
    for message in (raw, *split_messages(raw)):
        translation = translate(message, PROFILE, feed)  # type: ignore[arg-type]
        assert isinstance(translation, Translation)
        check_fhir(translation)
        assert isinstance(identity_keys(message, PROFILE, US), IdentityKeys)


@QUICK
@given(
    st.sampled_from(["S12", "S13", "S14", "S15", "S17", "S26", "S27"]),
    st.dictionaries(
        st.sampled_from(["SCH", "TQ1", "PID", "PD1", "PV1", "RGS", "AIS", "AIG", "AIL", "AIP"]),
        st.dictionaries(
            st.integers(1, 42),
            st.one_of(
                st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=20),
                st.from_regex(r"\A[0-9]{0,16}([+-][0-9]{4})?\Z"),
                st.from_regex(r"\A[0-9A-Za-z^~&\\|.\" +()-]{0,40}\Z"),
            ),
            max_size=8,
        ),
        max_size=6,
    ),
)
def test_any_text_in_any_field_is_mapped_or_refused(
    trigger: str, segments: dict[str, dict[int, str]]
) -> None:
    check_fhir(translate(siu(trigger, **segments), PROFILE, US))


@QUICK
@given(st.sampled_from([b"", b"MSH|^~\\&|", b"\x0bMSH"]), st.binary(max_size=200))
def test_any_bytes_at_all_are_translated_and_split(head: bytes, noise: bytes) -> None:
    raw = head + noise
    check_fhir(translate(raw, PROFILE, US))
    for message in split_messages(raw):
        check_fhir(translate(message, PROFILE, US))


@QUICK
@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40),
    st.permutations(list("|^~\\&")),
)
def test_what_was_escaped_is_read_back_as_it_was(text: str, delimiters: list[str]) -> None:
    field, component, repetition, escape, subcomponent = delimiters
    codes = {escape: "E", field: "F", component: "S", repetition: "R", subcomponent: "T"}
    written = "".join(f"{escape}{codes[c]}{escape}" if c in codes else c for c in text)
    header = f"MSH{field}{component}{repetition}{escape}{subcomponent}{field}A{field}"
    message = V2Message.parse(f"{header}\rNTE{field}1{field}{field}{written}\r".encode())
    expected = "" if text == '""' else text
    assert message["NTE-3"] == expected
