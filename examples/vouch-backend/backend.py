"""A customer's backend that vouches for its users: whoever is logged in here gets tokens of Countersign.

`POST /login` stands for the login that your backend has already. `POST /token` is what you add to it.
"""

import os
import secrets
from typing import NamedTuple

import requests
from dotenv import dotenv_values
from flask import Flask, jsonify, request, session

settings = {**dotenv_values(os.environ.get("COUNTERSIGN_ENV", ".countersign/dev.env")), **os.environ}

app = Flask(__name__)
app.secret_key = settings.get("SESSION_SECRET") or secrets.token_bytes(32)
app.config["SESSION_COOKIE_SAMESITE"] = "Lax"


class Customer(NamedTuple):
    """A row of your own table of users."""

    id: str
    email: str
    email_verified: bool


# Nobody proves anything here: a demo user is whoever says so. Put your own login in its place.
DEMO_USERS = {
    "alice": Customer("customer-1", "alice@example.com", email_verified=False),
    "bob": Customer("customer-2", "bob@example.com", email_verified=False),
}


@app.post("/login")
def login():
    body = request.get_json(silent=True)
    name = body.get("user") if isinstance(body, dict) else None
    if not isinstance(name, str) or name not in DEMO_USERS:
        return problem("there is no such demo user", 401)
    session["user"] = name
    return jsonify({"user": name})


@app.post("/logout")
def logout():
    session.clear()
    return "", 204


@app.post("/token")
def token():
    """Gives the app of the user who is logged in a session of its own.

    Who that is comes from the login alone, never from what the app sends.
    """
    customer = DEMO_USERS.get(session.get("user"))
    if customer is None:
        return problem("log in first", 401)
    try:
        answer = vouch_for(customer)
    except requests.RequestException as cause:
        app.logger.error("Countersign can't be reached: %s", cause)
        return problem("try again in a moment", 503)
    if answer.status_code == 200:
        return jsonify(answer.json()), 200, {"Cache-Control": "no-store"}
    app.logger.error("Countersign refused: %s %s", answer.status_code, answer.text)
    if answer.status_code in (429, 503):
        return problem("try again in a moment", 503, {"Retry-After": answer.headers.get("Retry-After", "1")})
    return problem("no token could be had", 502)


def vouch_for(customer):
    """One call, whether Countersign knows the user or not."""
    vouch = {
        "method": 4,
        "projectId": "p1",
        "clientId": "c1",
        "email": customer.email,
        "emailVerified": customer.email_verified,
        "externalId": customer.id,
        "createIfMissing": True,
    }
    headers = {"verification-token": settings["VERIFICATION_TOKEN"]}
    return requests.post(f"{settings['HUMA_URL']}/auth/v1/private/signin", json=vouch, headers=headers, timeout=5)


def problem(message, status, headers=None):
    return jsonify({"error": message}), status, headers or {}
