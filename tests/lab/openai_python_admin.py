#!/usr/bin/env python3
"""The official OpenAI Python client as a tenant and as an administrator, against a running `jikji serve --store`.

The client is in the lab, so CI does not run this; tests/e2e/tenants.test.js asks the same of the Node.js client there.
    export JIKJI_STORE=sqlite:admin.db; jikji tenant init
    jikji tenant add-organisation o; jikji tenant add-project p --organisation 1
    jikji tenant set-price jikji-mini-ko --input-price 500 --output-price 1500 --from 2026-01-01
    jikji tenant add-key member --project 1; jikji tenant add-key manager --role administrator --organisation 1
    jikji serve --port 8080 &
    ../shared/lab/lab run python3 tests/lab/openai_python_admin.py http://127.0.0.1:8080 MEMBER_KEY ADMINISTRATOR_KEY
"""
import decimal
import sys
import time

import openai

MODEL = "jikji-mini-ko"
HELLO = [{"role": "user", "content": "안녕하세요"}]


def refused(kind, call, code):
    try:
        call()
    except kind as error:
        assert error.code == code, (error.code, code)
        return
    raise AssertionError(f"{kind.__name__} expected")


def eventually(check):
    """What is changed holds within a second."""
    end = time.monotonic() + 5
    while True:
        try:
            return check()
        except (AssertionError, openai.APIStatusError):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def results(page):
    return [result for bucket in page.data for result in bucket.results]


def main() -> None:
    url, member_key, admin_key = sys.argv[1:4]
    member = openai.OpenAI(base_url=url + "/v1", api_key=member_key, max_retries=0)
    manager = openai.OpenAI(base_url=url + "/v1", api_key=admin_key, admin_api_key=admin_key, max_retries=0)
    organization = manager.admin.organization
    chat = lambda client, **body: client.chat.completions.create(  # noqa: E731
        **({"model": MODEL, "messages": HELLO, "temperature": 0, "max_completion_tokens": 8} | body))

    refused(openai.PermissionDeniedError, lambda: chat(manager), "insufficient_permissions")
    refused(openai.PermissionDeniedError, lambda: member.get("/organization/projects", cast_to=object),
            "insufficient_permissions")
    refused(openai.AuthenticationError, lambda: chat(member.with_options(api_key="jk_wrong")), "invalid_api_key")
    print("rights: a member may not manage, an administrator may not generate, a wrong key may nothing")

    since = int(time.time()) - 3600
    counted = lambda: [sum(getattr(r, name) for r in results(organization.usage.completions(start_time=since)))  # noqa: E731
                       for name in ("num_model_requests", "input_tokens", "output_tokens")]
    before = counted()
    whole = chat(member)
    used = [1, whole.usage.prompt_tokens, whole.usage.completion_tokens]
    for chunk in chat(member, stream=True, stream_options={"include_usage": True}):
        if chunk.usage:
            used = [used[0] + 1, used[1] + chunk.usage.prompt_tokens, used[2] + chunk.usage.completion_tokens]

    def adds_up():
        assert [a - b for a, b in zip(counted(), before)] == used, (counted(), before, used)
    eventually(adds_up)
    requests, input_tokens, output_tokens = counted()
    cost = sum(decimal.Decimal(str(r.amount.value)) for r in results(organization.usage.costs(start_time=since)))
    assert cost == decimal.Decimal(input_tokens * 500 + output_tokens * 1500) / 1_000_000, cost
    print(f"usage and costs: {requests} requests, {input_tokens} and {output_tokens} tokens, {cost} won, to the token")

    project = organization.projects.create(name="야간")
    assert project.id in [listed.id for listed in organization.projects.list()]
    assert organization.projects.retrieve(project.id).name == "야간"
    account = organization.projects.service_accounts.create(project.id, name="batch")
    batch = openai.OpenAI(base_url=url + "/v1", api_key=account.api_key.value, max_retries=0)
    eventually(lambda: chat(batch))
    (listed,) = organization.projects.api_keys.list(project.id)
    assert listed.id == account.api_key.id and account.api_key.value not in listed.to_json()
    organization.projects.api_keys.delete(listed.id, project_id=project.id)
    eventually(lambda: refused(openai.AuthenticationError, batch.models.list, "invalid_api_key"))
    assert organization.projects.archive(project.id).status == "archived"
    print("projects, service accounts and keys: made, listed, used, revoked, archived")

    acts = [act.type for act in organization.audit_logs.list(limit=20)]
    assert {"project.created", "project.archived", "api_key.deleted"} <= set(acts), acts
    print("audit logs:", len(acts), "acts")


main()
