"""Authlib as a confidential client: a code, its id_token, a refresh, userinfo, introspection, revocation, and a token of its own."""

import json
import sys

import jwt
import requests
from authlib.integrations.requests_client import OAuth2Session

told = json.loads(sys.argv[1])
metadata = requests.get(told["issuer"] + "/.well-known/openid-configuration", timeout=10).json()
session = OAuth2Session(
    told["client_id"],
    told["client_secret"],
    token_endpoint_auth_method="client_secret_basic",
    redirect_uri=told["redirect_uri"],
    state="a state",
    code_challenge_method="S256",
)
endpoint = metadata["token_endpoint"]
token = session.fetch_token(endpoint, authorization_response=told["callback"], code_verifier=told["verifier"])
key = jwt.PyJWKClient(metadata["jwks_uri"]).get_signing_key_from_jwt(token["id_token"])
algorithms = metadata["id_token_signing_alg_values_supported"]
id_token = jwt.decode(token["id_token"], key, algorithms=algorithms, audience=told["client_id"], issuer=told["issuer"])
token = dict(token)
userinfo = session.get(metadata["userinfo_endpoint"]).json()
refreshed = dict(session.refresh_token(endpoint, refresh_token=token["refresh_token"]))


def introspect():
    answer = session.introspect_token(metadata["introspection_endpoint"], token=refreshed["access_token"])
    return answer.json()


before = introspect()
revoked = session.revoke_token(metadata["revocation_endpoint"], token=refreshed["refresh_token"])
after = introspect()
own = dict(session.fetch_token(endpoint, grant_type="client_credentials"))
print(
    json.dumps(
        {
            "token": token,
            "id_token": id_token,
            "userinfo": userinfo,
            "refreshed": refreshed,
            "before": before,
            "revoked": revoked.status_code,
            "after": after,
            "own": own,
        }
    )
)
