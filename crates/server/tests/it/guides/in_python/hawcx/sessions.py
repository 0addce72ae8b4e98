"""Makes the application's session tokens: the guide's own function lacks an import."""

import os
from datetime import datetime, timedelta, timezone

import jwt


def generate_session_token(user):
    claims = {
        "userId": str(user["id"]),
        "email": user["email"],
        "hawcxId": user["hawcx_id"],
        "exp": datetime.now(timezone.utc) + timedelta(days=7),
    }
    return jwt.encode(claims, os.environ["SESSION_SECRET"], algorithm="HS256")
