"""The transport of the guide's client in later versions, with a credential. Prints JSON."""

import json
import sys

from hawcx_oauth_client.delegation import DelegationRequestError, build_transport_from_secret_key

told = json.loads(sys.argv[1])
transport = build_transport_from_secret_key(base_url=told["url"], secret_key=told["credential"])
creds, payload = "/hc_auth/v5/update/get-creds", {"userid": told["user"]}


def refused(**more):
    try:
        return transport.send(creds, **more)
    except DelegationRequestError as problem:
        return {"status": problem.status_code, "detail": str(problem)}


print(
    json.dumps(
        {
            "by project": transport.send(creds, payload, extra_headers={"X-Config-Id": "p1"}),
            "by key": transport.send(creds, payload),
            "another project": refused(payload=payload, extra_headers={"X-Config-Id": "p2"}),
            "unknown user": refused(payload={"userid": "nobody@example.com"}),
        }
    )
)
