"""Makes three streaming pipelines with aepp, each from a schema of its own: `pipelines.py ORIGIN` prints the ids of their flows."""

import contextlib
import io
import json
import sys
import warnings

import given
import hosts

KINESIS = "86043421-563b-46ec-8e6c-e23184711bf6"
READING = "d69717ba-71b4-4313-b654-49f9cf126d7a"
FULL = "application/vnd.adobe.xed-full+json;version=1"


def spec(id):
    return {"id": id, "version": "1.0"}


def stored(registry, sets, title, group):
    """The schema with an own field group, in Profile, and its dataset."""
    body = given.customer_schema(title)
    body["allOf"].append({"$ref": group["$id"]})
    schema = registry.createSchema(body)["$id"]
    identity = registry.createDescriptorOperation(schema, "xdm:descriptorIdentity", "workEmail.address", "Email", True)
    registry.createDescriptor(identity)
    registry.enableSchemaForRealTime(schema)
    made = sets.createDataSet(name=title, schemaId=schema, profileEnabled=True, identityEnabled=True)
    return schema, made[0].split("/")[-1]


def into(flows, title, schema, dataset):
    data = {"format": "parquet_xdm", "schema": {"id": schema, "version": FULL}}
    body = {"name": f"{title} lake", "data": data, "params": {"dataSetId": dataset}}
    return flows.createTargetConnection(data={**body, "connectionSpec": spec(given.LAKE)})["id"]


def main(origin):
    hosts.lead_to(origin)
    warnings.simplefilter("ignore")
    given.aepp.configure(**given.CREDENTIAL)
    registry, sets = given.schema.Schema(), given.catalog.Catalog()
    prep, flows = given.dataprep.DataPrep(), given.flowservice.FlowService()
    made = []
    for title, kind in (("Raw", "raw"), ("Mapped already", "xdm"), ("Pulled", "kinesis")):
        fields = {"points": {"type": "integer"}, "card": {"type": "string"}}
        group = registry.createFieldGroup(given.field_group(f"Loyalty {title}", **fields))
        schema, dataset = stored(registry, sets, title, group)
        if kind == "kinesis":
            params = {"accessKeyId": "AKIAFAKEFAKEFAKEFAKE", "secretKey": "CANARY/of+the=source", "region": "eu-west-1"}
            auth = {"specName": "Aws Kinesis authentication credentials", "params": params}
            base = flows.createConnection(name=title, connectionSpec=spec(KINESIS), auth=auth)["id"]
            read = {"stream": "orders", "dataType": "raw", "reset": "latest"}
            ends = {"name": f"{title} source", "connectionSpec": spec(KINESIS), "baseConnectionId": base}
            source = flows.createSourceConnection({**ends, "data": {"format": "json"}, "params": read})["id"]
        else:
            base = flows.createConnectionStreaming(title, title, kind, paramName=title)["id"]
            source = flows.createSourceConnectionStreaming(base, f"{title} source", "json")["id"]
        target = into(flows, title, schema, dataset)
        mapped = {}
        if kind != "xdm":
            set_id = prep.createMappingSet(schema, given.MAPPINGS, validate=True)["id"]
            mapped = {"transformation_mapping_id": set_id, "transformation_name": "Mapping", "transformation_version": 0}
        flow_spec = {"raw": given.WITH_MAPPING, "xdm": given.WITHOUT_MAPPING, "kinesis": READING}[kind]
        made.append(flows.createFlow(flow_spec, title, source, target, **mapped)["id"])
    return made


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()):
        ids = main(sys.argv[1])
    print(json.dumps(ids))
