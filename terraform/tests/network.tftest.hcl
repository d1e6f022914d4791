# Zones, ways to the internet, endpoints.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                    = "broker"
  cidr_block              = "10.80.0.0/16"
  availability_zone_count = 2
  nat_gateways            = "none"
  interface_endpoints     = []
  flow_log_retention_days = null
  kms_key_arn             = null
  tags                    = {}
}

run "without_nat_gateway_tasks_are_in_public_subnets" {
  command = plan

  module {
    source = "./modules/network"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_eip.nat) == 0 && length(aws_subnet.task) == 0
    error_message = "Something that is charged is made for tasks that have public addresses."
  }

  assert {
    condition     = output.tasks_need_public_addresses && length(output.task_subnet_ids) == 2
    error_message = "Tasks would have no way to the internet."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.public : !coalesce(subnet.map_public_ip_on_launch, false)])
    error_message = "Whatever starts in a public subnet would get a public address."
  }
}

run "one_nat_gateway_serves_every_zone" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    nat_gateways            = "one"
    availability_zone_count = 3
  }

  override_resource {
    target          = aws_nat_gateway.this["eu-central-1a"]
    override_during = plan
    values          = { id = "nat-a" }
  }

  assert {
    condition     = keys(aws_nat_gateway.this) == ["eu-central-1a"] && [for route in aws_route.task_to_internet : route.nat_gateway_id] == ["nat-a", "nat-a", "nat-a"]
    error_message = "Not every zone goes out by the one NAT gateway."
  }

  assert {
    condition     = !output.tasks_need_public_addresses
    error_message = "Tasks behind a NAT gateway would get public addresses."
  }
}

run "one_nat_gateway_a_zone" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    nat_gateways            = "one_per_zone"
    availability_zone_count = 3
  }

  override_resource {
    target          = aws_nat_gateway.this["eu-central-1a"]
    override_during = plan
    values          = { id = "nat-a" }
  }

  override_resource {
    target          = aws_nat_gateway.this["eu-central-1b"]
    override_during = plan
    values          = { id = "nat-b" }
  }

  override_resource {
    target          = aws_nat_gateway.this["eu-central-1c"]
    override_during = plan
    values          = { id = "nat-c" }
  }

  assert {
    condition     = { for zone, route in aws_route.task_to_internet : zone => route.nat_gateway_id } == { eu-central-1a = "nat-a", eu-central-1b = "nat-b", eu-central-1c = "nat-c" }
    error_message = "A zone does not go out by a NAT gateway of its own."
  }
}

run "ranges_stay_where_they_are_when_a_zone_is_added" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    nat_gateways            = "one"
    availability_zone_count = 3
  }

  assert {
    condition     = aws_subnet.public["eu-central-1b"].cidr_block == "10.80.16.0/20" && aws_subnet.task["eu-central-1b"].cidr_block == "10.80.144.0/20"
    error_message = "The ranges of a zone are not where they were."
  }

  assert {
    condition     = length(distinct(concat([for subnet in aws_subnet.public : subnet.cidr_block], [for subnet in aws_subnet.task : subnet.cidr_block]))) == 6
    error_message = "Two subnets have one range."
  }
}

run "dynamodb_and_s3_are_reached_free_of_charge" {
  command = plan

  module {
    source = "./modules/network"
  }

  assert {
    condition     = toset([for endpoint in aws_vpc_endpoint.gateway : endpoint.service_name]) == toset(["com.amazonaws.eu-central-1.dynamodb", "com.amazonaws.eu-central-1.s3"])
    error_message = "DynamoDB or S3 has no gateway endpoint."
  }

  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.gateway : endpoint.vpc_endpoint_type == "Gateway"]) && length(aws_vpc_endpoint.interface) == 0
    error_message = "An endpoint that is charged is made although nobody asked for it."
  }
}

run "interface_endpoints_take_https_from_the_vpc_only" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    nat_gateways        = "one"
    interface_endpoints = ["ecr.api", "logs"]
  }

  assert {
    condition     = length(aws_vpc_endpoint.interface) == 2 && alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled])
    error_message = "The endpoints would not be found by the names of their services."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.interface_endpoints[0].cidr_ipv4 == "10.80.0.0/16" && aws_vpc_security_group_ingress_rule.interface_endpoints[0].from_port == 443 && aws_vpc_security_group_ingress_rule.interface_endpoints[0].to_port == 443
    error_message = "The endpoints are open to more than HTTPS from the VPC."
  }
}

run "flow_logs_are_kept_as_long_as_asked" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    flow_log_retention_days = 14
  }

  assert {
    condition     = aws_cloudwatch_log_group.flow_logs[0].retention_in_days == 14 && aws_flow_log.this[0].traffic_type == "ALL"
    error_message = "Flow logs are not kept as long as asked."
  }
}

run "an_unknown_way_to_the_internet_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    nat_gateways = "two"
  }

  expect_failures = [var.nat_gateways]
}

run "one_zone_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    availability_zone_count = 1
  }

  expect_failures = [var.availability_zone_count]
}

run "a_range_too_small_to_divide_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    cidr_block = "10.80.0.0/24"
  }

  expect_failures = [var.cidr_block]
}
