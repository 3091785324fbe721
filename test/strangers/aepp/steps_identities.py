"""Identity namespaces."""

STEPS = [
    ("known = namespaces.getIdentities()", "one(_, code='Email')['id'] == 6 and one(_, code='ECID')['idType'] == 'COOKIE'"),
    ("namespaces.getIdentities(only_custom=True)", "_ == []"),
    (
        "loyalty = namespaces.createIdentity('Loyalty', 'Loyalty', 'CROSS_DEVICE', 'Cards')",
        "has(_, code='Loyalty', custom=True, status='ACTIVE', description='Cards') and _['idType'].upper() == 'CROSS_DEVICE'",
    ),
    ("namespaces.createIdentity('Loyalty', 'Loyalty', 'CROSS_DEVICE')", "refused(_, 409)"),
    ("namespaces.createIdentity('Device', 'Device1', 'COOKIE')", "has(_, code='Device1')"),
    (
        "namespaces.createIdentity(dict_identity={'name': 'x', 'code': 'x', 'idType': 'SHOE'})",
        "refused(_, 400) and 'CROSS_DEVICE' in _['description']",
    ),
    (
        "namespaces.createIdentity('x', 'x', 'SHOE')",
        "isinstance(_, TypeError)",
        "aepp: it knows the kinds itself and asks nobody",
    ),
    ("namespaces.getIdentityDetail(str(loyalty['id']))", "has(_, code='Loyalty', id=loyalty['id'])"),
    ("namespaces.getIdentityDetail('6')", "has(_, code='Email', custom=False)"),
    ("namespaces.getIdentityDetail('999')", "refused(_, 404)"),
    (
        "namespaces.updateIdentity(str(loyalty['id']), 'Loyalty card', 'Loyalty', 'CROSS_DEVICE', 'Cards')",
        "len(_) == 1 and has(_[0], name='Loyalty card', code='Loyalty')",
    ),
    (
        "namespaces.updateIdentity(str(loyalty['id']), 'Loyalty card', 'Loyalty', 'EMAIL')",
        "refused(_, 400)",
    ),
    ("namespaces.getIdentities(only_custom=True)", "[each['code'] for each in _] == ['Loyalty', 'Device1']"),
    (
        "b2b = namespaces.createB2BIdentities()",
        "len(_) == 9 and all(each['custom'] for each in _) and one(_, code='b2b_account')['idType'] == 'B2B_ACCOUNT'",
    ),
    ("namespaces.createB2BIdentities()", "_ == []"),
    (
        "namespaces.getIdentitiesIMS()",
        "not_simulated(_)",
        "not simulated: the namespaces of another organization; Adobe calls the path deprecated",
    ),
    (
        "namespaces.getIdentity('1', '6')",
        "not_simulated(_)",
        "not simulated: the identity graph",
    ),
    (
        "namespaces.getLinkedIdentities([{'ns': 'Email', 'id': 'a@example.com'}])",
        "not_simulated(_)",
        "not simulated: the identity graph",
    ),
]
