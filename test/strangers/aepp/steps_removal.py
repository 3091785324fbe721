"""Everything is taken down again, in the order that the platform wants."""

STEPS = [
    ("flows.deleteConnection(base['id'])", "refused(_, 400)"),
    ("[flows.deleteFlow(each['id']) for each in flows.getFlows()]", "set(_) <= {200, 204} and len(_) == 2"),
    ("flows.getFlow(flow['id'])", "_ == {}", "aepp: it reads an empty item out of the 404"),
    ("flows.deleteFlow(flow['id'])", "refused(_, 404)"),
    ("flows.deleteTargetConnection(target['id'])", "_ in (200, 204)"),
    ("flows.deleteSourceConnection(source['id'])", "_ in (200, 204)"),
    ("flows.deleteConnection(base['id'])", "_ in (200, 204)"),
    ("flows.deleteConnection(guarded['id'])", "_ in (200, 204)"),
    ("prep.deleteMappingSet(mapped['id'])", "_ in (200, 204)"),
    ("prep.getMappingSet(mapped['id'])", "refused(_, 404)"),
    ("sets.deleteDataSet(dataset)", "_ == 200"),
    ("sets.getDataSet(dataset)", "refused(_, 404)"),
    ("flows.createTargetConnection('late', LAKE, dataset)", "refused(_, 400)"),
    ("registry.deleteSchema(sketched['$id'])", "_ == 204"),
    ("registry.deleteFieldGroup(made['$id'])", "_ == 204"),
    ("registry.deleteFieldGroup(group['$id'])", "refused(_, 400)"),
    ("registry.deleteDataType(size['$id'])", "_ == 204"),
]
