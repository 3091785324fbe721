"""What the steps start from: aepp's modules, names of Adobe's resources, the fake credential, and bodies to send."""

import aepp  # noqa: F401
from aepp import (  # noqa: F401
    catalog,
    dataaccess,
    dataprep,
    fieldgroupmanager,
    flowservice,
    identity,
    ingestion,
    observability,
    sandboxes,
    schema,
    schemamanager,
)

ORG = "0A1B2C3D4E5F60718293A4B5@AdobeOrg"
CREDENTIAL = {
    "org_id": ORG,
    "client_id": "simulated-client-id",
    "secret": "simulated-client-secret",
    "scopes": "openid,AdobeID,read_organizations,additional_info.projectedProductContext,session",
    "sandbox": "dev1",
    # Without tries: a step has one answer.
    "retry": 0,
}

CONTEXT = "https://ns.adobe.com/xdm/context/"
PROFILE = CONTEXT + "profile"
EVENT = CONTEXT + "experienceevent"
PERSON = CONTEXT + "profile-person-details"
PERSONAL = CONTEXT + "profile-personal-details"
WORK = CONTEXT + "profile-work-details"
MAP = CONTEXT + "identitymap"
RECORD = "https://ns.adobe.com/xdm/data/record"
ADDRESS = "https://ns.adobe.com/xdm/common/address"

STREAMING = "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb"
LAKE = "c604ff05-7f1a-43c0-8e18-33bf874cb11c"
WITH_MAPPING = "c1a19761-d2c7-4702-b9fa-fe91f0613e81"
WITHOUT_MAPPING = "d8a6f005-7eaf-4153-983e-e8574508b877"


def customer_schema(title):
    return {
        "type": "object",
        "title": title,
        "description": "Customers",
        "allOf": [{"$ref": part} for part in (PROFILE, PERSON, WORK, MAP)],
    }


def field_group(title, **fields):
    return {
        "type": "object",
        "title": title,
        "description": title,
        "meta:intendedToExtend": [PROFILE],
        "definitions": {
            "property": {"properties": {"_acmelab": {"type": "object", "properties": fields}}}
        },
        "allOf": [{"$ref": "#/definitions/property", "type": "object", "meta:xdmType": "object"}],
    }


MAPPINGS = [
    {"sourceType": "ATTRIBUTE", "source": "id", "destination": "_id"},
    {"sourceType": "ATTRIBUTE", "source": "firstName", "destination": "person.name.firstName"},
    {"sourceType": "ATTRIBUTE", "source": "gender", "destination": "person.gender"},
    {"sourceType": "EXPRESSION", "source": "lower(mail)", "destination": "workEmail.address"},
]


def row(number, **more):
    return {"id": f"cust-{number}", "firstName": "Ana", "mail": "Ana@Example.com", **more}
