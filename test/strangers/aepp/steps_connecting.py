"""How aepp gets its token."""

STEPS = [
    ("aepp.configure(**CREDENTIAL)", "_ is None"),
    ("connection = aepp.configure(**CREDENTIAL, connectInstance=True)", "_.sandbox == 'dev1'"),
    ("connection.connect()", "_ is None and len(connection.token.split('.')) == 3"),
    ("connection.getConfigHeader()", "_['x-gw-ims-org-id'] == ORG and _['x-sandbox-name'] == 'dev1'"),
    (
        "aepp.configure(**{**CREDENTIAL, 'secret': 'no'}, connectInstance=True).connect()",
        "isinstance(_, KeyError)",
        "aepp: it looks for the token's lifetime in IMS's refusal",
    ),
    (
        "aepp.configure(**{**CREDENTIAL, 'scopes': 'openid,root'}, connectInstance=True).connect()",
        "isinstance(_, KeyError)",
        "aepp: it looks for the token's lifetime in IMS's refusal of a scope",
    ),
    ("aepp.configure(**CREDENTIAL)", "_ is None"),
    ("boxes = sandboxes.Sandboxes()", "boxes.sandbox == 'dev1'"),
    ("namespaces = identity.Identity()", "namespaces.sandbox == 'dev1'"),
    ("registry = schema.Schema()", "registry.sandbox == 'dev1'"),
    ("sets = catalog.Catalog()", "sets.sandbox == 'dev1'"),
    ("prep = dataprep.DataPrep()", "prep.sandbox == 'dev1'"),
    ("flows = flowservice.FlowService()", "flows.sandbox == 'dev1'"),
    ("inlets = ingestion.DataIngestion()", "inlets.sandbox == 'dev1'"),
    ("access = dataaccess.DataAccess()", "access.sandbox == 'dev1'"),
    ("insights = observability.Observability()", "insights.sandbox == 'dev1'"),
    (
        "aepp.home()",
        "refused(_, 404)",
        "not simulated: the containers of a product; no published file of Adobe's has the path",
    ),
]
