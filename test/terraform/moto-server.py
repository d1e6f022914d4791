"""moto's server, with what it lacks for resources that it otherwise supports.

Without these few lines Terraform could not read back, or not delete, what it made, or would set the same attribute
again with every apply. Each says what moto 5.2 does instead; nothing else about moto is changed.

Usage: python moto-server.py -H 127.0.0.1 -p PORT
"""

import json
import sys
import threading

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.cognitoidp.responses import CognitoIdpResponse
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.dynamodb.models import DynamoDBBackend
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.server import main


def keep_tags_of_scalable_targets() -> None:
    """moto drops the tags of scalable targets and does not know the call that lists them."""
    tags_by_arn: dict[str, dict[str, str]] = {}
    register = ApplicationAutoScalingResponse.register_scalable_target

    def register_scalable_target(self: ApplicationAutoScalingResponse) -> str:
        answer = register(self)
        tags_by_arn.setdefault(json.loads(answer)["ScalableTargetARN"], {}).update(self._get_param("Tags") or {})
        return answer

    def list_tags_for_resource(self: ApplicationAutoScalingResponse) -> str:
        return json.dumps({"Tags": tags_by_arn.get(self._get_param("ResourceARN"), {})})

    ApplicationAutoScalingResponse.register_scalable_target = register_scalable_target
    ApplicationAutoScalingResponse.list_tags_for_resource = list_tags_for_resource


def delete_resource_servers() -> None:
    """moto makes and shows resource servers of user pools and cannot delete them."""

    def delete_resource_server(self: CognitoIdpResponse) -> str:
        user_pool = self.backend.describe_user_pool(self._get_param("UserPoolId"))
        user_pool.resource_servers.pop(self._get_param("Identifier"), None)
        return "{}"

    CognitoIdpResponse.delete_resource_server = delete_resource_server


def keep_settings_of_services() -> None:
    """moto keeps these settings of an ECS service when it is updated, but not when it is created."""
    settings = (
        "availabilityZoneRebalancing",
        "capacityProviderStrategy",
        "enableECSManagedTags",
        "healthCheckGracePeriodSeconds",
    )
    create = EC2ContainerServiceResponse.create_service

    def create_service(self: EC2ContainerServiceResponse) -> ActionResult:
        answer = create(self)
        for setting in settings:
            setattr(answer.result["service"], camelcase_to_underscores(setting), self._get_param(setting))
        return answer

    EC2ContainerServiceResponse.create_service = create_service


def show_descriptions_of_rules() -> None:
    """moto shows the description of a security group's rule for addresses, but not of one for another group."""

    def description(self: SecurityGroupRule) -> "str | None":
        return self.ip_range.get("Description") or self.source_group.get("Description")

    SecurityGroupRule.description = property(description)


def isolate_writes() -> None:
    """moto looks at the conditions of a write and makes it later: of two at once in two threads both find theirs to hold."""
    lock = threading.RLock()

    def one_at_a_time(name: str) -> None:
        write = getattr(DynamoDBBackend, name)

        def alone(self: DynamoDBBackend, *arguments: object, **named: object) -> object:
            with lock:
                return write(self, *arguments, **named)

        setattr(DynamoDBBackend, name, alone)

    for name in ("put_item", "update_item", "delete_item", "transact_write_items"):
        one_at_a_time(name)


keep_tags_of_scalable_targets()
delete_resource_servers()
keep_settings_of_services()
show_descriptions_of_rules()
isolate_writes()
sys.exit(main(sys.argv[1:]))
