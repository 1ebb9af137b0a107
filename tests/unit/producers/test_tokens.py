"""Tokens: what is kept, what each may post, when it counts, how fast it may send."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from custody.events import Micros
from producers.access import Access, Bucket, open_access
from producers.config import HttpConfig
from producers.requests import MODELS
from producers.token_store import FILE, NameTaken, TokenStore, TokensUnreadable, UnknownToken
from producers.tokens import (
    CONTROL_TYPES,
    FACT_TYPES,
    BadToken,
    Token,
    checked,
    denial,
    digest_of,
    new_secret,
    operator,
)
from tests.support import gateway as support
from web.problem import Problem
from web.token import load_or_make, renew

HOUR = 3_600_000_000


def a_token(name: str = "lims", **changes: object) -> Token:
    given: dict[str, object] = {"name": name, "created_at": Micros(0), **changes}
    return Token(**given)  # type: ignore[arg-type]  # a builder for tests


def bound(*sites: str, types: frozenset[str] = frozenset()) -> Token:
    return a_token(sites=frozenset(sites), types=types)


def nowhere(_: str) -> str | None:
    return None


@dataclass
class Clock:
    """Both clocks of an access, in the test's hand."""

    now: Micros
    seconds: float = 0.0

    def pass_s(self, seconds: float) -> None:
        self.now = Micros(self.now + int(seconds * 1e6))
        self.seconds += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock(Micros(10 * HOUR))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TokenStore]:
    """What the command line has open while the gateway runs."""
    opened = TokenStore(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def access(tmp_path: Path, clock: Clock, store: TokenStore) -> Iterator[Access]:
    file = tmp_path / "token"
    theirs = TokenStore(store.path.parent, durable=False)
    opened = Access(lambda: load_or_make(file), theirs, lambda: clock.now, lambda: clock.seconds)
    yield opened
    opened.close()


def added(store: TokenStore, token: Token) -> str:
    secret = new_secret()
    store.add(token, digest_of(secret))
    return secret


def refused(access: Access, secret: str) -> Problem:
    with pytest.raises(Problem) as caught:
        access.admit(f"Bearer {secret}")
    return caught.value


def test_a_token_is_256_random_bits_behind_a_prefix_to_search_for() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(s.startswith("custody_") and len(s) == 8 + 43 for s in secrets)


def test_no_byte_of_a_token_is_kept_but_its_digest(tmp_path: Path, store: TokenStore) -> None:
    secret = added(store, a_token(expires_at=Micros(HOUR)))
    store.revoke("lims", Micros(5))
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert secret.encode() not in kept
    assert secret.removeprefix("custody_").encode() not in kept
    assert digest_of(secret) in kept


def test_the_file_of_tokens_is_its_owners_alone(store: TokenStore) -> None:
    assert store.path.stat().st_mode & 0o077 == 0


def test_a_token_comes_back_from_its_file_as_it_was(store: TokenStore) -> None:
    made = a_token(sites=frozenset({"B", "A"}), types=frozenset({"xrf"}), expires_at=Micros(HOUR))
    secret = added(store, made)
    assert store.by_digest() == {digest_of(secret): made}


def test_a_name_is_given_once_for_ever(store: TokenStore) -> None:
    added(store, a_token())
    with pytest.raises(NameTaken, match="lims-2"):
        added(store, a_token())
    store.revoke("lims", Micros(5))
    with pytest.raises(NameTaken):
        added(store, a_token())
    assert store.revoke("lims", Micros(9)).revoked_at == 5, "the first time stays"
    with pytest.raises(UnknownToken):
        store.revoke("other", Micros(9))


@pytest.mark.parametrize("name", ["", "operator", "a b", "-a", "a" * 65, "a/b", "a@b", "\u00e9"])
def test_a_name_fits_into_a_log_and_a_list(name: str) -> None:
    with pytest.raises(BadToken):
        checked(a_token(name))


def test_what_belongs_to_no_site_takes_no_token_of_a_site() -> None:
    with pytest.raises(BadToken, match="site"):
        checked(bound("A", types=frozenset({"action"})))
    with pytest.raises(BadToken, match="does not exist"):
        checked(a_token(types=frozenset({"ticket"})))
    assert checked(a_token(types=CONTROL_TYPES)).types == CONTROL_TYPES


@pytest.mark.parametrize("stem", MODELS)
def test_without_types_a_token_is_for_facts_alone_and_the_operators_for_all(stem: str) -> None:
    raw = support.golden(stem)
    found = denial(a_token(), [raw], nowhere)
    assert (found is None) == (stem in FACT_TYPES)
    assert denial(operator(), [raw], nowhere) is None


@pytest.mark.parametrize("stem", sorted(FACT_TYPES))
def test_every_fact_of_another_site_is_found_with_its_place(stem: str) -> None:
    mine = support.golden(stem)
    token = bound(str(mine["site_id"]), "SITE-B")
    assert denial(token, [mine], nowhere) is None
    assert denial(token, [mine, {**mine, "site_id": "ELSEWHERE"}], nowhere) == (
        1,
        f"is of site ELSEWHERE; token lims is for {mine['site_id']}, SITE-B",
    )


def test_a_site_differs_by_any_letter_and_blank() -> None:
    for other in ("mine-kov", " MINE-KOV", "MINE-KOV ", "MINE-KOV\n", "MINE\u2010KOV"):
        raw = {**support.golden("weighing"), "site_id": other}
        assert denial(bound("MINE-KOV"), [raw], nowhere) is not None, other


@pytest.mark.parametrize(
    "raw", [None, 7, "x", [], {}, {"type": "weighing"}, {"type": 1}, {"type": "x", "site_id": [1]}]
)
def test_what_says_no_type_or_site_is_for_the_judge_to_refuse(raw: object) -> None:
    from producers.judge import accept
    from producers.outcome import Refusal

    assert denial(bound("A"), [raw], nowhere) is None
    assert isinstance(accept(raw, support.NOW, support.terms()), Refusal)


def test_a_token_of_one_site_withdraws_no_fact_of_another() -> None:
    raw = {**support.golden("weighing"), "site_id": "A", "corrects": "some-id", "void": True}
    sites = {"some-id": "B"}
    assert denial(bound("A"), [raw], sites.get) == (
        0,
        "corrects an event of another site; token lims is for A",
    )
    assert denial(bound("A", "B"), [raw], sites.get) is None
    assert denial(bound("A"), [raw], nowhere) is None, "not known here: as ever, with a remark"


def test_a_new_token_counts_within_half_a_second_and_a_revoked_one_no_longer(
    access: Access, store: TokenStore, clock: Clock
) -> None:
    secret = added(store, a_token())
    assert refused(access, secret).name == "no-token", "nobody has looked yet"
    clock.pass_s(0.5)
    assert access.admit(f"Bearer {secret}").name == "lims"
    store.revoke("lims", clock.now)
    clock.pass_s(0.5)
    problem = refused(access, secret)
    assert (problem.status, problem.name) == (401, "token-revoked")
    assert "invalid_token" in problem.headers["WWW-Authenticate"]


def test_a_token_ends_with_its_time(access: Access, store: TokenStore, clock: Clock) -> None:
    secret = added(store, a_token(expires_at=Micros(clock.now + 2_000_000)))
    clock.pass_s(1.9)
    assert access.admit(f"bearer {secret}").name == "lims"
    clock.pass_s(0.1)
    assert refused(access, secret).name == "token-expired"


def test_the_last_use_is_written_once_a_minute(
    access: Access, store: TokenStore, clock: Clock
) -> None:
    secret = added(store, a_token())
    clock.pass_s(1)
    first = clock.now
    seen = []
    for _ in range(3):
        access.admit(f"Bearer {secret}")
        (token,) = store.by_digest().values()
        seen.append(token.last_used_at)
        clock.pass_s(59)
    assert seen == [first, first, first + 118_000_000]


def test_a_file_that_breaks_while_the_gateway_runs_locks_nobody_out(
    access: Access, store: TokenStore, clock: Clock
) -> None:
    secret = added(store, a_token())
    clock.pass_s(1)
    access.admit(f"Bearer {secret}")
    spoiler = sqlite3.connect(store.path)
    spoiler.execute("DROP TABLE token")
    spoiler.commit()
    spoiler.close()
    clock.pass_s(120)
    assert access.admit(f"Bearer {secret}").name == "lims"


def test_a_file_that_is_none_of_ours_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 100)
    with pytest.raises(TokensUnreadable, match=r"tokens\.sqlite3"):
        open_access(tmp_path, lambda: Micros(0))


def test_the_operators_token_can_be_renewed_while_the_gateway_runs(
    access: Access, tmp_path: Path, clock: Clock
) -> None:
    file = tmp_path / "token"
    before = file.read_text().strip()
    assert access.admit(f"Bearer {before}").types == frozenset(MODELS)
    renew(file)
    clock.pass_s(1)
    assert refused(access, before).name == "no-token"
    assert access.admit(f"Bearer {file.read_text().strip()}").name == "operator"
    assert file.stat().st_mode & 0o077 == 0


def test_each_token_has_a_rate_of_its_own(access: Access, clock: Clock) -> None:
    limits = HttpConfig(rate_per_s=2, rate_burst=10)
    fast, slow = a_token("fast"), a_token("slow")
    access.take(fast, 10, limits)
    with pytest.raises(Problem, match="token fast: more than 2 requests") as caught:
        access.take(fast, 5, limits)
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (429, "3")
    access.take(slow, 10, limits)
    clock.pass_s(2.5)
    access.take(fast, 5, limits)
    access.take(fast, 10**6, HttpConfig(rate_per_s=None))


def test_rates_of_tokens_that_are_gone_are_forgotten(
    access: Access, store: TokenStore, clock: Clock
) -> None:
    limits = HttpConfig(rate_per_s=2, rate_burst=10)
    for no in range(50):
        access.take(a_token(f"t-{no}"), 1, limits)
    added(store, a_token("t-7"))
    clock.pass_s(1)
    access.admit(f"Bearer {(store.path.parent / 'token').read_text().strip()}")
    assert set(access._buckets) == {"t-7"}


def test_a_list_larger_than_the_bucket_passes_when_it_is_full_and_leaves_a_debt() -> None:
    bucket = Bucket(rate_per_s=10, burst=5, now_s=0.0)
    assert bucket.take(20, 0.0) == 0
    assert bucket.take(1, 1.0) == 1
    assert bucket.take(1, 2.0) == 0


def test_a_gateway_of_facts_does_not_know_what_is_none() -> None:
    from producers.judge import accept
    from producers.outcome import Accepted, Code, Refusal

    terms = support.terms(types=FACT_TYPES)
    for stem in sorted(CONTROL_TYPES):
        found = accept(support.golden(stem), support.NOW, terms)
        assert isinstance(found, Refusal)
        assert (found.code, found.found) == (Code.UNKNOWN_TYPE, stem)
        assert found.allowed == sorted(FACT_TYPES)
        json.dumps(found.answer())
    assert isinstance(accept(support.golden("lot"), support.NOW, terms), Accepted)
