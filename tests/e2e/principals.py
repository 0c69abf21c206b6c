"""Principals of the tests: how they log in, the files that know them, and what those are told who do not."""

import base64
import hashlib

import expect

HASHES = {  # of "secret"
    "bcrypt": "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
    "slow": "$2b$12$abcdefghijklmnopqrstuuT1Iwu6o8Wx7BoOyIMHfgVJq6JO/IJhW",
    "sha512": "$6$rounds=1000$saltsalt$LAV5VE5Y7w1d73x1mFNspYWUpazfmwv2SoepNXNKJ/otop/Zok96Hr8Q13LEv0DRY/x8v0/crpIjl8NJSAqX"
              "V/",
    "sha256": "$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA",
    "yescrypt": "$y$j9T$/yA1rQMP0Z9O.Td4zXkXE1$CR61Q0dcYVyJSrc6JuvRJ0AUst2rAf82PhRWMA8z/C9",
}


def basic(name, password="secret"):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def htpasswd(**users):
    return "".join(f"{name}:{hash_}\n" for name, hash_ in users.items())


def tokens(**bearers):
    return "".join(f"{name}:{hashlib.sha256(token.encode()).hexdigest()}\n" for name, token in bearers.items())


def check_challenge(response, schemes=("Basic", "Bearer")):
    expect.check_problem(response, 401, "unauthorized")
    expect.check_not_cached(response)
    challenges = [value for name, value in response.fields if name.lower() == "www-authenticate"]
    assert [challenge.split()[0] for challenge in challenges] == list(schemes)
    for challenge in challenges:
        assert 'realm="deferd"' in challenge
        assert ('charset="UTF-8"' in challenge) == challenge.startswith("Basic")


def known_by_tokens(directory, *names):
    """The settings of auth with a token a name, "tok-NAME"; "su" is an admin."""
    file = directory / "tokens"
    file.write_text(tokens(**{name: f"tok-{name}" for name in names}))
    return {"bearer": str(file), "admins": ["su"]}
