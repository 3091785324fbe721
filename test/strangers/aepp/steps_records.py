"""Ingestion: records through an inlet, and batches."""

STEPS = [
    ("door = inlet['auth']['params']['inletUrl'].split('/')[-1]", "len(_) >= 32"),
    ("inlets.streamMessage(door, row(1, gender='female'), flow['id'])", "_['inletId'] == door and 'receivedTimeMs' in _"),
    (
        "inlets.streamMessages(door, [row(2), row(3, gender='male')], flow['id'])",
        "len(_['responses']) == 2 and all('xactionId' in each for each in _['responses'])",
    ),
    ("inlets.streamMessage(door, row(4), flow['id'], syncValidation=True)", "_['inletId'] == door"),
    ("inlets.streamMessage('0' * 64, row(5))", "refused(_, 404)"),
    (
        "inlets.streamMessages(door, [row(8), 'no object'], flow['id'])",
        "'status' not in _['responses'][0] and _['responses'][1]['status'] == 400",
    ),
    ("inlets.streamMessages(door, [], flow['id'])", "refused(_, 400)"),
    ("inlets.streamMessages(door, [row(6, gender='Male!')], flow['id'])", "len(_['responses']) == 1"),
    (
        "inlets.createBatch(dataset)",
        "not_simulated(_)",
        "not simulated: batches that are uploaded as files",
    ),
    (
        "inlets.uploadSmallFile('b', dataset, 'x.json', [row(7)])",
        "not_simulated(_)",
        "not simulated: batches that are uploaded as files",
    ),
    (
        "inlets.replayBatch(dataset, ['b'])",
        "not_simulated(_)",
        "not simulated: batches that are uploaded as files",
    ),
    (
        "inlets.getPreviewBatchDataset('b', dataset)",
        "not_simulated(_)",
        "not simulated: batches that are uploaded as files",
    ),
]
