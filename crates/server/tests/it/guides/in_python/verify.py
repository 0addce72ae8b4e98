"""Checks an access token as an API in Python would, by the keys that the issuer publishes, and prints its claims.

    verify.py JWKS_URI ISSUER AUDIENCE TOKEN
"""

import json
import sys

import jwt

jwks_uri, issuer, audience, token = sys.argv[1:]
key = jwt.PyJWKClient(jwks_uri).get_signing_key_from_jwt(token)
verified = jwt.decode_complete(
    token,
    key,
    algorithms=["ES256"],
    issuer=issuer,
    audience=audience,
    options={"require": ["iss", "aud", "exp", "iat", "sub"]},
)
if verified["header"]["typ"] != "at+jwt":
    sys.exit("this is no access token")
print(json.dumps(verified["payload"]))
