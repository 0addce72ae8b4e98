"""Session tokens of the application that aren't good, under the secret of its environment."""

import json
import os
import time

import jwt
from dotenv import load_dotenv

load_dotenv()
now, secret = int(time.time()), os.environ["SESSION_SECRET"]
claims = {"userId": "1", "email": "ada@example.com", "hawcxId": "u_1", "exp": now + 600}
good = jwt.encode(claims, secret, algorithm="HS256")
print(
    json.dumps(
        {
            "good": good,
            "bad": [
                jwt.encode({**claims, "exp": now - 60}, secret, algorithm="HS256"),
                jwt.encode(claims, "another secret, of thirty-two bytes or more", algorithm="HS256"),
                jwt.encode(claims, None, algorithm="none"),
                jwt.encode(claims, secret + secret, algorithm="HS512"),
                good + "A",
                "garbage",
            ],
        }
    )
)
