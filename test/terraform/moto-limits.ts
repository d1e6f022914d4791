/** Resources that moto has no calls for. Only the mocked provider sees them. */
export const NOT_ON_MOTO: Readonly<Record<string, string>> = {
  aws_cloudwatch_query_definition: 'moto has no PutQueryDefinition',
  aws_dynamodb_table_replica: 'moto ignores ReplicaUpdates of UpdateTable',
};

/** What moto drops or does not know, and `moto-server.py` keeps for it, so that a second apply changes nothing. */
export const KEPT_FOR_MOTO: Readonly<Record<string, string>> = {
  aws_appautoscaling_target: 'its tags, and the call that lists them',
  aws_cognito_resource_server: 'the call that deletes it',
  aws_ecs_service:
    'availability_zone_rebalancing, capacity_provider_strategy, enable_ecs_managed_tags and health_check_grace_period_seconds as they were created',
  aws_vpc_security_group_egress_rule: 'the description of a rule for another security group',
  aws_vpc_security_group_ingress_rule: 'the description of a rule for another security group',
};
