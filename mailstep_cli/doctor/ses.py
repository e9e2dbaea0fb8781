"""The checks of SES: the identity, its DNS records, the receipt rules, and sending."""

from collections.abc import Callable
from typing import Any

from mailstep import keys
from mailstep.addresses import canonical_domain
from mailstep_cli.doctor import dns_records
from mailstep_cli.doctor.deployed_stack import Site, reserved
from mailstep_cli.doctor.findings import Finding, fault, judged, ok, unknown
from mailstep_cli.doctor.policies import allows
from mailstep_cli.terminal import counted

_BOUND = 5


def identity(site: Site) -> Finding:
    """The domain is verified in the receiving Region and in the sending Region."""
    regions = sorted({site.receiving.region, site.home.region})
    found = {region: _identity(site, site.domain, region) for region in regions}
    problems = {
        region: f"{site.domain} is not verified in {region}"
        for region in regions
        if not found[region].get("VerifiedForSendingStatus")
    }
    remedies = [_dkim_records(site.domain, region, found[region]) for region in problems]
    return judged(list(problems.values()), "; ".join(remedies), f"{site.domain} is verified in {' and '.join(regions)}")


def dkim(site: Site) -> Finding:
    """SES signs for the domain, so that replies pass DMARC."""
    identity_ = _identity(site, site.domain, site.home.region)
    found = identity_.get("DkimAttributes", {})
    status = found.get("Status", "NOT_STARTED")
    if status == "SUCCESS" and found.get("SigningEnabled"):
        return ok(f"SES signs mail from {site.domain} with DKIM")
    if reserved(site.domain):
        return unknown(f"{site.domain} is reserved for examples: it cannot have DKIM records")
    if status == "SUCCESS":
        return fault(
            f"DKIM signing of {site.domain} is turned off",
            f"aws sesv2 put-email-identity-dkim-attributes --signing-enabled --email-identity {site.domain}",
        )
    remedy = _dkim_records(site.domain, site.home.region, identity_)
    return fault(f"DKIM of {site.domain} is {status} in {site.home.region}", remedy)


def mx(site: Site) -> Finding:
    """Mail to the domain goes to SES."""
    return _asked(site, lambda: dns_records.mx(site.lookup, site.domain, site.receiving.region))


def spf(site: Site) -> Finding:
    """The SPF record of the MAIL FROM domain includes SES."""
    return _asked(site, lambda: dns_records.spf(site.lookup, _envelope_domain(site)))


def dmarc(site: Site) -> Finding:
    """The domain has a DMARC policy, which tells receivers what to do with forged mail."""
    return _asked(site, lambda: dns_records.dmarc(site.lookup, site.domain))


def active_rule_set(site: Site) -> Finding:
    """The active rule set of SES is the one with our rules."""
    active = (
        site.client("ses", site.receiving.region).describe_active_receipt_rule_set().get("Metadata", {}).get("Name")
    )
    return judged(
        [] if active == site.rule_set else [f"{active} is active" if active else "no rule set is active"],
        f"aws ses set-active-receipt-rule-set --rule-set-name {site.rule_set} --region {site.receiving.region}",
        f"{active} is active in {site.receiving.region}",
    )


def rules(site: Site) -> Finding:
    """Each route in routes.toml has a rule that stores its mail under its prefix; that of a catch-all route is last."""
    there = site.rules()
    problems = [problem for route in site.routes for problem in _rule_problems(site, route, there)]
    catch_all = next((name for name, route in site.routes.items() if route.catch_all), None)
    if catch_all and there and there[-1].get("Recipients") != [site.domain]:
        problems.append(f"the rule for {site.domain}, of the catch-all route {catch_all}, is not the last one")
    remedy = (
        f"sam deploy --config-env receiving --stack-name {site.receiving.name} --region {site.receiving.region} "
        f"--parameter-overrides Routes={','.join(route for route in site.routes if route != catch_all)}"
        f"{f' CatchAllRoute={catch_all}' if catch_all else ''}"
    )
    return judged(problems, remedy, f"{counted(len(site.routes), 'route')}, each with a receipt rule")


def unknown_routes(site: Site) -> Finding:
    """No rule stores mail for a route that routes.toml does not have, because its executions would fail."""
    stored = [(rule["Name"], prefix) for rule in site.rules() for prefix in _prefixes(rule, site.bucket)]
    problems = [
        f"rule {name} stores mail under {prefix}, which belongs to no route"
        for name, prefix in stored
        if prefix not in {keys.inbound(route) for route in site.routes}
    ]
    return judged(problems, "add the route to routes.toml and deploy, or delete the rule", "every rule has a route")


def rule_roles(site: Site) -> Finding:
    """SES may store what it receives, by the role of each rule, or else by the bucket's policy."""
    problems = [
        problem
        for rule in site.rules()
        for action in _s3_actions(rule, site.bucket)
        for problem in _storing_problems(site, rule["Name"], action)
    ]
    return judged(
        problems, "deploy the stack with that role or policy again", "SES may write to the bucket for every rule"
    )


def sending(site: Site) -> Finding:
    """SES sends for this account to any address, and has quota left."""
    account = site.client("sesv2").get_account()
    quota = account.get("SendQuota", {})
    left = quota.get("Max24HourSend", 0) - quota.get("SentLast24Hours", 0)
    if not account.get("SendingEnabled"):
        return fault(
            f"SES has paused sending in {site.home.region}",
            "open the SES console: it shows the reason and how to appeal",
        )
    if not account.get("ProductionAccessEnabled"):
        return fault(
            f"SES is in its sandbox in {site.home.region}: it sends to verified addresses only",
            "request production access in the SES console (about a day); until then, verify your test recipients",
        )
    if quota.get("Max24HourSend") != -1 and left <= 0:
        return fault("the sending quota for 24 hours is used up", "request an increase: Service Quotas, Amazon SES")
    return ok(f"{quota.get('MaxSendRate', 0):g} a second, {quota.get('Max24HourSend', 0):g} in 24 hours, {left:g} left")


def reply_addresses(site: Site) -> Finding:
    """Replies come from addresses at the domain: ReplyFunction's role may send from no others."""
    default = site.variables("ReplyFunction").get("REPLY_FROM", "")
    addresses = {
        route.reply_from or default or f"{name}@{site.domain}": name for name, route in sorted(site.routes.items())
    }
    problems = [
        f"replies of {route} come from {address}, which is not at {site.domain}"
        for address, route in addresses.items()
        if canonical_domain(address.rpartition("@")[2]) != canonical_domain(site.domain)
    ]
    return judged(
        problems,
        "set the parameter ReplyFrom, or reply_from in routes.toml, to an address at the domain, and deploy",
        ", ".join(list(addresses)[:_BOUND]),
    )


def _identity(site: Site, name: str, region: str) -> dict[str, Any]:
    client = site.client("sesv2", region)
    try:
        found: dict[str, Any] = client.get_email_identity(EmailIdentity=name)
    except client.exceptions.NotFoundException:
        return {}
    return found


def _dkim_records(domain: str, region: str, found: dict[str, Any]) -> str:
    if not found:
        return f"aws sesv2 create-email-identity --email-identity {domain} --region {region}"
    attributes = found.get("DkimAttributes", {})
    zone = attributes.get("SigningHostedZone", "dkim.amazonses.com")
    records = [f"{token}._domainkey.{domain}. CNAME {token}.{zone}." for token in attributes.get("Tokens", [])]
    return f"publish: {', '.join(records)}"


def _envelope_domain(site: Site) -> str:
    found = _identity(site, site.domain, site.home.region).get("MailFromAttributes", {})
    return str(found.get("MailFromDomain") or site.domain)


def _asked(site: Site, check: Callable[[], Finding]) -> Finding:
    if reserved(site.domain):
        return unknown(f"{site.domain} is reserved for examples: it has no DNS records")
    try:
        return check()
    except dns_records.Unanswered as error:
        return unknown(str(error), "run the doctor on a machine with DNS")


def _rule_problems(site: Site, route: str, there: list[dict[str, Any]]) -> list[str]:
    address = site.domain if site.routes[route].catch_all else f"{route}@{site.domain}"
    wanted = keys.inbound(route)
    found = next((rule for rule in there if address in rule.get("Recipients", [])), None)
    if found is None:
        return [f"no rule receives {address}"]
    stored = [(a["BucketName"], a.get("ObjectKeyPrefix", "")) for a in _s3_actions(found)]
    problems = []
    if not found.get("Enabled"):
        problems.append(f"the rule for {address} is disabled")
    if not found.get("ScanEnabled"):
        problems.append(f"the rule for {address} does not scan for spam and viruses")
    if (site.bucket, wanted) not in stored:
        places = ", ".join(f"s3://{bucket}/{prefix}" for bucket, prefix in stored) or "nowhere"
        problems.append(f"the rule for {address} stores in {places}, not in s3://{site.bucket}/{wanted}")
    return problems


def _s3_actions(rule: dict[str, Any], bucket: str | None = None) -> list[dict[str, Any]]:
    actions = [action["S3Action"] for action in rule.get("Actions", []) if "S3Action" in action]
    return [action for action in actions if bucket in {None, action["BucketName"]}]


def _prefixes(rule: dict[str, Any], bucket: str) -> list[str]:
    return [action.get("ObjectKeyPrefix", "") for action in _s3_actions(rule, bucket)]


def _storing_problems(site: Site, rule: str, action: dict[str, Any]) -> list[str]:
    sets = f"arn:{site.partition}:ses:{site.receiving.region}:{site.account_id}:receipt-rule-set"
    rule_arn = f"{sets}/{site.rule_set}:receipt-rule/{rule}"
    target = f"arn:{site.partition}:s3:::{site.bucket}/{action.get('ObjectKeyPrefix', '')}*"
    context = {"aws:SourceAccount": site.account_id, "aws:SourceArn": rule_arn}
    role_arn = action.get("IamRoleArn")
    if not role_arn:
        policy = site.client("s3").get_bucket_policy(Bucket=site.bucket)["Policy"]
        allowed = allows(policy, "s3:PutObject", target, service="ses.amazonaws.com", context=context)
        return [] if allowed else [f"the bucket's policy does not let SES write for rule {rule}"]
    iam = site.client("iam")
    try:
        role = iam.get_role(RoleName=role_arn.rpartition("/")[2])["Role"]
    except iam.exceptions.NoSuchEntityException:
        return [f"rule {rule} names the role {role_arn}, which does not exist"]
    problems = []
    trust = role["AssumeRolePolicyDocument"]
    if not allows(trust, "sts:AssumeRole", role_arn, service="ses.amazonaws.com", context=context):
        problems.append(f"SES may not assume the role {role['RoleName']} for rule {rule}")
    owner = {"aws:ResourceAccount": site.account_id}
    if not any(allows(policy, "s3:PutObject", target, context=owner) for policy in _policies(iam, role["RoleName"])):
        problems.append(f"the role {role['RoleName']} may not write {target} for rule {rule}")
    return problems


def _policies(iam: Any, role: str) -> list[Any]:
    inline = iam.list_role_policies(RoleName=role)["PolicyNames"]
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    versions = [
        (p["PolicyArn"], iam.get_policy(PolicyArn=p["PolicyArn"])["Policy"]["DefaultVersionId"]) for p in attached
    ]
    return [
        *(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in inline),
        *(iam.get_policy_version(PolicyArn=a, VersionId=v)["PolicyVersion"]["Document"] for a, v in versions),
    ]
