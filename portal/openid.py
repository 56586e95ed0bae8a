"""Sign-in with an OpenID Connect provider: discovery, the code flow with PKCE, state and nonce, and its ID token."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from hosting.problems import Problem
from portal.settings import OpenIdSettings, is_loopback

_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures that only the provider can make: neither `none` nor those with a secret that we share."""

_FRESH_SECONDS = 3600
"""How long what the provider says of itself is believed."""

_TIMEOUT, _LEEWAY_SECONDS = 10.0, 60


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a sign-in must bring back: it is kept in a signed cookie of the browser that began it."""

    state: str
    nonce: str
    verifier: str
    next: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who someone is, as the provider says: `subject` is its identifier, `email` is empty unless it is verified."""

    subject: str
    email: str
    groups: tuple[str, ...]


class OpenIdProvider:
    """An OpenID provider. What it says of itself is asked again after an hour, its keys also if one is not known."""

    def __init__(self, settings: OpenIdSettings, redirect_uri: str) -> None:
        self._settings = settings
        self._redirect_uri = redirect_uri
        self._metadata: Mapping[str, Any] = {}
        self._keys: KeySet | None = None
        self._asked = 0.0
        self._lock = threading.Lock()

    def begin(self, wanted: str, now: float) -> tuple[str, Attempt]:
        """The address at the provider to send a browser to, and what must come back. Raises: Problem."""
        attempt = Attempt(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), wanted)
        metadata = self._discover(now)
        address = prepare_grant_uri(
            metadata["authorization_endpoint"],
            self._settings.client_id,
            "code",
            self._redirect_uri,
            "openid email profile",
            attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
        )
        return str(address), attempt

    def finish(self, attempt: Attempt, answer: Mapping[str, str], now: float) -> Identity:
        """Who has signed in. `answer` is the query that the browser brought back. Raises: Problem."""
        metadata = self._discover(now)
        if not secrets.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise _refused()
        if answer.get("iss", self._settings.issuer) != self._settings.issuer or not answer.get("code"):
            raise _refused()
        try:
            token = self._exchange(metadata, answer["code"], attempt.verifier)
            claims = self._verify(token, attempt.nonce, now)
            if not (claims.get("email") and self._settings.groups_claim in claims):
                claims = self._complete(metadata, token["access_token"], claims)
        except (AuthlibBaseError, JoseError, KeyError, ValueError, TypeError) as error:
            raise _refused() from error
        except httpx.HTTPError as error:
            raise _unavailable() from error
        groups = claims.get(self._settings.groups_claim) or ()
        verified = claims.get("email_verified") is True
        return Identity(
            str(claims["sub"]),
            str(claims.get("email", "")) if verified else "",
            tuple(str(group) for group in groups) if isinstance(groups, list) else (),
        )

    def _exchange(self, metadata: Mapping[str, Any], code: str, verifier: str) -> dict[str, Any]:
        """The tokens for a code. Raises: httpx.HTTPError, ValueError: the provider refuses the code."""
        given = {"code": code, "code_verifier": verifier, "client_id": self._settings.client_id}
        body = prepare_token_request("authorization_code", "", self._redirect_uri, **given)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        secret = self._settings.client_secret
        auth = httpx.BasicAuth(quote(self._settings.client_id, safe=""), quote(secret, safe="")) if secret else None
        answer = httpx.post(metadata["token_endpoint"], content=body, headers=headers, auth=auth, timeout=_TIMEOUT)
        if answer.is_client_error:
            raise ValueError("the provider refuses the code")
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document

    def _discover(self, now: float) -> Mapping[str, Any]:
        """What the provider says of itself. Raises: Problem: it does not answer, or is not this issuer."""
        with self._lock:
            if self._metadata and now - self._asked < _FRESH_SECONDS:
                return self._metadata
            issuer = self._settings.issuer
            document = _fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if document.get("issuer") != issuer:
                raise _unavailable()
            self._metadata, self._keys, self._asked = document, None, now
            return document

    def _verify(self, token: Mapping[str, Any], nonce: str, now: float) -> dict[str, Any]:
        """The claims of an ID token that this provider signed, for us and for this attempt."""
        registry = JWSRegistry(algorithms=list(_ALGORITHMS), strict_check_header=False)
        try:
            decoded = jwt.decode(token["id_token"], self._key_set(), algorithms=list(_ALGORITHMS), registry=registry)
        except InvalidKeyIdError:  # the provider has changed its keys
            self._keys = None
            decoded = jwt.decode(token["id_token"], self._key_set(), algorithms=list(_ALGORITHMS), registry=registry)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {
                "iss": {"essential": True, "value": self._settings.issuer},
                "aud": {"essential": True, "value": self._settings.client_id},
                "nonce": {"essential": True, "value": nonce},
            },
            {"nonce": nonce, "client_id": self._settings.client_id, "access_token": token.get("access_token")},
        )
        claims.validate(now=int(now), leeway=_LEEWAY_SECONDS)
        return dict(claims)

    def _key_set(self) -> KeySet:
        with self._lock:
            if self._keys is None:
                self._keys = KeySet.import_key_set(_fetch(self._metadata["jwks_uri"]))  # type: ignore[arg-type]
            return self._keys

    def _complete(self, metadata: Mapping[str, Any], access: str, claims: dict[str, Any]) -> dict[str, Any]:
        """The claims with those that the provider tells only at its userinfo endpoint."""
        if "userinfo_endpoint" not in metadata:
            return claims
        headers = {"Authorization": f"Bearer {access}"}
        answer = httpx.get(metadata["userinfo_endpoint"], headers=headers, timeout=_TIMEOUT)
        answer.raise_for_status()
        more = answer.json()
        if more.get("sub") != claims["sub"]:
            raise ValueError("userinfo is of someone else")
        return {**more, **claims}


def _fetch(address: str) -> dict[str, Any]:
    parts = urlsplit(address)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise _unavailable()
    try:
        answer = httpx.get(address, timeout=_TIMEOUT, follow_redirects=False)
        answer.raise_for_status()
        document = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise _unavailable() from error
    if not isinstance(document, dict):
        raise _unavailable()
    return document


def _refused() -> Problem:
    return Problem(403, "sign-in-refused", "you could not be signed in: go to the start page and try again")


def _unavailable() -> Problem:
    return Problem(503, "sign-in-unavailable", "the sign-in of your organisation does not answer: try again later")
