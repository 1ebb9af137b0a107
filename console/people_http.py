"""Login, logout, one's own password, and the list of what was done."""

import html
import json
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import parse_qs, quote

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console import visits
from console.answering import answer, check_asked
from console.pages_http import next_of
from console.people.door import Visitor
from console.people.passwords import UnfitPassword
from console.people.roles import RIGHTS, Right
from console.people.sessions import csrf_of
from console.rows import Row
from console.visits import Visits
from console.wording import LANGUAGES, catalogue, words
from schemas.present import rfc3339
from web.problem import Problem

_DEEDS_MAX = 1_000


def people_router(found: Visits) -> APIRouter:
    """Return the routes of users and sessions.

    Args:
        found: Tells who sends a request.
    """
    router = APIRouter()
    _add_login(router, found)
    _add_own(router, found)
    _add_audit(router, found)
    return router


def _add_login(router: APIRouter, found: Visits) -> None:
    @router.get("/login", summary="The form to log in with", include_in_schema=False)
    def get_login(request: Request) -> Response:
        return _form(request, 200, _WHY.get(request.query_params.get("why", ""), ""))

    @router.post("/login", summary="Log in: a form, or JSON with user and password")
    async def post_login(request: Request) -> Response:
        found.check_origin(request)
        as_form = request.headers.get("content-type", "").startswith(
            "application/x-www-form-urlencoded"
        )
        name, password = await (_of_form if as_form else _of_json)(request)
        try:
            visitor = await run_in_threadpool(
                found.door.enter, name, password, visits.address_of(request)
            )
        except Problem as problem:
            if not as_form:
                raise
            word = "login.wait" if problem.status == 429 else "login.wrong"
            answer = _form(request, problem.status, word)
            answer.headers.update(problem.headers)
            return answer
        after = next_of(request.query_params.get("next", ""))
        response: Response = RedirectResponse(after, 303) if as_form else _me(visitor)
        found.keep(response, visitor.secret)
        return response

    @router.post("/logout", summary="End the session")
    def post_logout(request: Request) -> Response:
        found.door.leave(found.changer(request))
        response = Response(None, 204)
        found.forget(response)
        return response


def _add_own(router: APIRouter, found: Visits) -> None:
    @router.get("/api/me", summary="Who is logged in, and what they may")
    def get_me(request: Request) -> Response:
        return _me(found.anyone(request))

    @router.post("/api/password", summary="Change one's own password: old and new")
    async def post_password(request: Request) -> Response:
        visitor = await run_in_threadpool(found.changer, request)
        body = await visits.json_body(request)
        old, new = visits.text_of(body, "old"), visits.text_of(body, "new")
        try:
            after = await run_in_threadpool(found.door.change_password, visitor, old, new)
        except UnfitPassword as error:
            raise Problem(400, "unfit-password", str(error)) from error
        response = _me(after)
        found.keep(response, after.secret)
        return response


def _add_audit(router: APIRouter, found: Visits) -> None:
    @router.get("/api/audit", summary="What was done, by whom, from where; the last first")
    def get_audit(request: Request) -> Response:
        return answer(request, {"deeds": _deeds(request, found)}, {}, list[Row])


def _deeds(request: Request, found: Visits) -> list[Row]:
    found.visitor(request, Right.MANAGE, "audit")
    check_asked(request, "actor", "before", "limit")
    asked = request.query_params
    limit = _number(asked.get("limit", "100"), "limit", _DEEDS_MAX)
    before = _number(asked["before"], "before") if "before" in asked else None
    actor = asked.get("actor", "")
    return [
        {
            "no": no,
            "at": rfc3339(deed.at),
            "actor": deed.actor,
            "address": deed.address,
            "what": deed.what,
            "about": deed.about,
            "outcome": deed.outcome,
        }
        for no, deed in found.door.register.deeds(limit, actor=actor, before_no=before)
    ]


def _number(text: str, name: str, most: int = 1 << 53) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 17 else 0
    if not 1 <= number <= most:
        raise Problem(400, "bad-query", f"{name}={text[:40]}: a number from 1 to {most}")
    return number


def _me(visitor: Visitor) -> Response:
    user = visitor.user
    body = {
        "user": user.name,
        "role": user.role.value,
        "rights": [] if user.must_change else sorted(right.value for right in RIGHTS[user.role]),
        "must_change_password": user.must_change,
        "csrf_token": csrf_of(visitor.secret),
    }
    return Response(json.dumps(body), media_type="application/json")


async def _of_json(request: Request) -> tuple[str, str]:
    body = await visits.json_body(request)
    return visits.text_of(body, "user"), visits.text_of(body, "password")


async def _of_form(request: Request) -> tuple[str, str]:
    try:
        fields = parse_qs((await visits.body_of(request)).decode(), max_num_fields=8)
    except ValueError as error:
        raise Problem(400, "bad-form", "the form cannot be read") from error
    return fields.get("user", [""])[-1], fields.get("password", [""])[-1]


_WHY: Mapping[str, str] = MappingProxyType({"over": "login.over", "shut-out": "login.shut_out"})
"""What is said to whom a page has sent here, by why his session is over."""

_LANGUAGE = "custody-language"
"""Cookie of the language that was chosen here or on a page; scripts of ours read it."""

_OWN_NAME = "login.language"
_YEAR_S = 365 * 24 * 3_600

_FORM = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - custody</title>
<link rel="icon" href="/pages/icon.svg">
<link rel="stylesheet" href="/pages/style.css">
<main class="login">
<h1 class="brand">custody</h1>
<p class="lead">{lead}</p>
<form class="panel" method="post" action="/login?next={next}">
<p role="alert" class="fault">{fault}</p>
<p><label for="user">{user}</label>
<input id="user" name="user" autocomplete="username" autocapitalize="none" required autofocus></p>
<p><label for="password">{password}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required></p>
<p><button class="main">{enter}</button></p>
</form>
<p class="row">{languages}</p>
</main>
</html>
"""


def _form(request: Request, status: int, fault: str) -> Response:
    asked = request.query_params.get("lang", "")
    chosen = asked if asked in LANGUAGES else request.cookies.get(_LANGUAGE, "")
    accepted = request.headers.get("accept-language", "")
    language, said = words(chosen if chosen in LANGUAGES else accepted)
    names = ("title", "lead", "user", "password", "enter")
    shown = {name: html.escape(said[f"login.{name}"]) for name in names}
    fault = html.escape(said[fault]) if fault else ""
    after = quote(next_of(request.query_params.get("next", "")), safe="")
    others = {name: catalogue(name)[_OWN_NAME] for name in LANGUAGES if name != language}
    languages = " ".join(
        f'<a href="/login?lang={name}&amp;next={after}" lang="{name}">{own}</a>'
        for name, own in others.items()
    )
    page = _FORM.format(language=language, fault=fault, next=after, languages=languages, **shown)
    headers = {"Vary": "Accept-Language, Cookie"}
    shown_form = Response(page, status, headers, "text/html; charset=utf-8")
    if asked == language:
        shown_form.set_cookie(_LANGUAGE, language, _YEAR_S, path="/", samesite="lax")
    return shown_form
