"""Data Prep: mapping sets, previews and expressions."""

STEPS = [
    ("prep.getMappingSets()", "_ == []"),
    ("mapped = prep.createMappingSet(customers['$id'], MAPPINGS, validate=True)", "is_id(_['id']) and _['version'] == 0"),
    (
        "prep.createMappingSet(mappingSet={'name': 'strangers', 'outputSchema': {'schemaRef': {'id': customers['$id'], 'contentType': 'application/vnd.adobe.xed-full+json;version=1'}}, 'mappings': MAPPINGS})",
        "is_id(_['id'])",
    ),
    (
        "prep.createMappingSet(customers['$id'], [{'sourceType': 'EXPRESSION', 'source': 'lower(', 'destination': '_id'}], validate=True)",
        "refused(_, 400)",
    ),
    (
        "prep.createMappingSet(customers['$id'], [{'sourceType': 'ATTRIBUTE', 'source': 'a', 'destination': 'no.such.field'}], validate=True)",
        "refused(_, 400)",
    ),
    ("prep.getMappingSets()", "len(_) == 2"),
    ("prep.getMappingSets(name='strangers')", "[each['name'] for each in _] == ['strangers']"),
    ("prep.getMappingSet(mapped['id'])", "len(_['mappings']) == 4 and _['outputSchema']['schemaRef']['id'] == customers['$id']"),
    (
        "rules = prep.getMappingSet(mapped['id'], mappingRulesOnly=True)",
        "[each['sourceType'] for each in _] == ['text/x.schema-path'] * 3 + ['text/x.aep-xl']",
    ),
    ("prep.createMappingSet(customers['$id'], rules, validate=True)", "is_id(_['id'])"),
    ("prep.getMappingSet('0' * 32)", "refused(_, 404)"),
    ("prep.copyMappingRules(prep.getMappingSet(mapped['id']), 'other')", "len(_) == 4"),
    ("prep.getMappingSetMappings(mapped['id'])", "isinstance(_, list) and len(_) == 4"),
    ("line = prep.getMappingSet(mapped['id'])['mappings'][0]", "is_id(line['id'])"),
    ("prep.getMappingSetMapping(mapped['id'], line['id'])", "has(_, source='id', destination='_id')"),
    ("prep.getMappingSetMapping(mapped['id'], '0' * 32)", "refused(_, 404)"),
    (
        "prep.updateMappingSet(mapped['id'], MAPPINGS[:3])",
        "_['version'] == 1 and len(_['mappings']) == 3",
    ),
    ("prep.updateMappingSet(mapped['id'], MAPPINGS)", "_['version'] == 2 and len(_['mappings']) == 4"),
    (
        "extra = prep.createMappingSetMapping(mapped['id'], {'sourceType': 'ATTRIBUTE', 'source': 'lastName', 'destination': 'person.name.lastName'})",
        "is_id(_['id'])",
    ),
    (
        "prep.updateMappingSetMapping(mapped['id'], extra['id'], {'sourceType': 'ATTRIBUTE', 'source': 'surname', 'destination': 'person.name.lastName'})",
        "has(_, source='surname')",
    ),
    ("prep.getMappingSetMapping(mapped['id'], extra['id'])", "has(_, source='surname', destination='person.name.lastName')"),
    ("prep.deleteMappingSetMapping(mapped['id'], extra['id'])", "_ in (200, 204)"),
    (
        "prep.previewDataOutput(row(1, gender='female'), {'outputSchema': {'schemaRef': {'id': customers['$id'], 'contentType': 'application/vnd.adobe.xed-full+json;version=1'}}, 'mappings': MAPPINGS})",
        "'ana@example.com' in str(_)",
    ),
    (
        "prep.previewDataOutput({'id': 1234, 'firstName': 'Jim'}, {'outputSchema': {'schemaRef': {'id': customers['$id'], 'contentType': 'application/vnd.adobe.xed-full+json;version=1'}}, 'mappings': MAPPINGS[:2]})",
        "\"'_id': '1234'\" in str(_)",
    ),
    ("prep.getMappingSetFunctions()", "'lower' in str(_)"),
    ("prep.getMappingSetOperators()", "len(_) > 0"),
    ("prep.validateExpression('lower(firstName)')", "_ is True"),
    ("prep.validateExpression('lower(')", "_ is False"),
    (
        "prep.getMappingSuggestions(dataset)",
        "not_simulated(_)",
        "not simulated: suggestions of mappings",
    ),
    (
        "prep.getXDMBatchConversions(dataset)",
        "not_simulated(_)",
        "not simulated: conversions of batches",
    ),
]
