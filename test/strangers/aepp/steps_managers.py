"""aepp's managers, which put whole schemas and field groups together out of several calls."""

STEPS = [
    ("managed = registry.SchemaManager(customers['$id'])", "managed.title == 'Customers' and managed.tenantId == '_acmelab'"),
    ("managed.searchField('firstName')", "len(_) > 0"),
    ("managed.to_dataframe()", "'person.name.firstName' in list(_['path'])"),
    ("managed.to_dict()", "'person' in _"),
    ("managed.getDescriptors()", "len(_) > 0"),
    ("registry.FieldGroupManager(group['$id']).to_dataframe()", "'_acmelab.points' in list(_['path'])"),
    ("registry.FieldGroupManager(PERSON).to_dict()", "'person' in _"),
    (
        "drafted = registry.FieldGroupManager(None, title='Drafted', fg_class=['profile'])",
        "drafted.title == 'Drafted'",
    ),
    ("drafted.addField('_acmelab', 'object', objectComponents={'level': 'integer'})", "'_acmelab' in _['definitions']['customFields']['properties']"),
    ("made = drafted.createFieldGroup()", "_['title'] == 'Drafted' and '/mixins/' in _['$id']"),
    ("drafted.addField('_acmelab.note', 'string', title='Note')", "'note' in str(_)"),
    ("drafted.updateFieldGroup()", "has(_, title='Drafted', version='1.1')"),
    (
        "sketch = schemamanager.SchemaManager(title='Sketch', schemaAPI=registry, schemaClass=PROFILE, fieldGroups=[PERSON, made['$id']])",
        "sketch.title == 'Sketch'",
    ),
    ("sketched = sketch.createSchema()", "_['title'] == 'Sketch' and _['meta:class'] == PROFILE"),
    ("registry.DataTypeManager(size['$id']).to_dict()", "'depth' in str(_)"),
]
