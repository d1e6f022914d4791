# What is open, what is closed, and how.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                         = "broker"
  vpc_id                       = "vpc-1"
  subnet_ids                   = ["subnet-1", "subnet-2"]
  internal                     = false
  certificate_arn              = "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b"
  domain                       = null
  tls_policy                   = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
  client_cidr_blocks           = ["0.0.0.0/0"]
  operator_cidr_blocks         = []
  public_paths                 = ["/healthz", "/v1/allocate", "/v1/sandboxes/*"]
  container_port               = 8080
  deregistration_delay_seconds = 30
  deletion_protection          = true
  access_logs                  = null
  tags                         = {}
}

run "what_is_not_named_is_not_there" {
  command = plan

  module {
    source = "./modules/load-balancer"
  }

  assert {
    condition     = aws_lb_listener.https.default_action[0].type == "fixed-response" && aws_lb_listener.https.default_action[0].fixed_response[0].status_code == "404"
    error_message = "A path that no rule names reaches the broker."
  }

  assert {
    condition     = jsondecode(aws_lb_listener.https.default_action[0].fixed_response[0].message_body).error.code == "NOT_FOUND"
    error_message = "The answer has not the shape of the broker's errors."
  }

  assert {
    condition     = toset(flatten([for rule in aws_lb_listener_rule.public : [for condition in rule.condition : [for pattern in condition.path_pattern : pattern.values]]])) == toset(["/healthz", "/v1/allocate", "/v1/sandboxes/*"])
    error_message = "Other paths than the public ones are open."
  }

  assert {
    condition     = length(aws_lb_listener_rule.operators) == 0
    error_message = "Operators' paths are open although there are no operators."
  }
}

run "operators_reach_everything_from_their_addresses_only" {
  command = plan

  module {
    source = "./modules/load-balancer"
  }

  variables {
    operator_cidr_blocks = ["198.51.100.0/24", "203.0.113.1/32", "203.0.113.2/32", "203.0.113.3/32", "203.0.113.4/32", "203.0.113.5/32"]
  }

  assert {
    condition     = alltrue([for rule in aws_lb_listener_rule.operators : length(rule.condition) == 1 && alltrue([for condition in rule.condition : length(condition.source_ip) == 1])])
    error_message = "A rule for operators is not bound to their addresses."
  }

  assert {
    condition     = toset(flatten([for rule in aws_lb_listener_rule.operators : [for condition in rule.condition : [for source in condition.source_ip : source.values]]])) == toset(var.operator_cidr_blocks)
    error_message = "Other addresses than the operators' are let in."
  }

  assert {
    condition     = alltrue([for rule in aws_lb_listener_rule.operators : alltrue([for condition in rule.condition : alltrue([for source in condition.source_ip : length(source.values) <= 5])])])
    error_message = "A rule has more values than a load balancer takes."
  }

  assert {
    condition     = max([for rule in aws_lb_listener_rule.operators : rule.priority]...) < min([for rule in aws_lb_listener_rule.public : rule.priority]...)
    error_message = "Rules for everybody come before those for operators."
  }
}

run "more_paths_than_a_rule_takes" {
  command = plan

  module {
    source = "./modules/load-balancer"
  }

  variables {
    public_paths = ["/1", "/2", "/3", "/4", "/5", "/6"]
  }

  assert {
    condition     = length(aws_lb_listener_rule.public) == 2
    error_message = "A rule has more values than a load balancer takes."
  }
}

run "http_is_redirected" {
  command = plan

  module {
    source = "./modules/load-balancer"
  }

  assert {
    condition     = aws_lb_listener.redirect.port == 80 && aws_lb_listener.redirect.default_action[0].redirect[0].protocol == "HTTPS" && aws_lb_listener.redirect.default_action[0].redirect[0].status_code == "HTTP_301"
    error_message = "HTTP is not redirected to HTTPS."
  }
}

run "only_the_two_ports_are_open_and_only_to_those_named" {
  command = plan

  module {
    source = "./modules/load-balancer"
  }

  variables {
    client_cidr_blocks   = ["192.0.2.0/24"]
    operator_cidr_blocks = ["198.51.100.0/24"]
  }

  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.client : "${rule.cidr_ipv4} ${rule.from_port}-${rule.to_port}"]) == toset(["192.0.2.0/24 80-80", "192.0.2.0/24 443-443", "198.51.100.0/24 80-80", "198.51.100.0/24 443-443"])
    error_message = "Other ports or addresses are open."
  }
}

run "tasks_are_checked_for_readiness_and_drained" {
  command = plan

  module {
    source = "./modules/load-balancer"
  }

  assert {
    condition     = aws_lb_target_group.this.health_check[0].path == "/readyz" && aws_lb_target_group.this.deregistration_delay == "30"
    error_message = "Readiness is not checked, or a leaving task is cut off."
  }

  assert {
    condition     = aws_lb_target_group.this.health_check[0].interval * aws_lb_target_group.this.health_check[0].unhealthy_threshold >= 60
    error_message = "A short failure of the database would make ECS replace every task."
  }

  assert {
    condition     = aws_lb.this.idle_timeout == 60
    error_message = "The broker relies on the load balancer's 60 seconds."
  }
}

run "no_old_tls_no_bad_headers_no_deletion_by_accident" {
  command = plan

  module {
    source = "./modules/load-balancer"
  }

  assert {
    condition     = aws_lb.this.drop_invalid_header_fields && aws_lb.this.enable_deletion_protection && startswith(aws_lb_listener.https.ssl_policy, "ELBSecurityPolicy-TLS13-")
    error_message = "The load balancer is not as strict as it should be."
  }
}

run "old_tls_is_refused" {
  command = plan

  module {
    source = "./modules/load-balancer"
  }

  variables {
    tls_policy = "ELBSecurityPolicy-2016-08"
  }

  expect_failures = [var.tls_policy]
}

run "access_logs_into_a_new_bucket" {
  command = plan

  module {
    source = "./modules/load-balancer"
  }

  variables {
    access_logs = { retention_days = 30 }
  }

  assert {
    condition     = aws_lb.this.access_logs[0].enabled && aws_s3_bucket_lifecycle_configuration.access_logs[0].rule[0].expiration[0].days == 30
    error_message = "Access logs are not written, or kept for another time."
  }

  assert {
    condition     = aws_s3_bucket_public_access_block.access_logs[0].block_public_acls && aws_s3_bucket_public_access_block.access_logs[0].block_public_policy && aws_s3_bucket_public_access_block.access_logs[0].ignore_public_acls && aws_s3_bucket_public_access_block.access_logs[0].restrict_public_buckets
    error_message = "The bucket of the access logs could become public."
  }
}

run "access_logs_into_a_bucket_that_exists" {
  command = plan

  module {
    source = "./modules/load-balancer"
  }

  variables {
    access_logs = { bucket = "logs-of-the-company", prefix = "broker" }
  }

  assert {
    condition     = length(aws_s3_bucket.access_logs) == 0 && aws_lb.this.access_logs[0].bucket == "logs-of-the-company" && aws_lb.this.access_logs[0].prefix == "broker"
    error_message = "The bucket that exists is not used."
  }
}

run "a_domain_gets_a_certificate_and_a_name" {
  command = plan

  module {
    source = "./modules/load-balancer"
  }

  variables {
    certificate_arn = null
    domain          = { name = "broker.labs.example", hosted_zone_id = "Z1" }
  }

  assert {
    condition     = aws_acm_certificate.this[0].domain_name == "broker.labs.example" && aws_acm_certificate.this[0].validation_method == "DNS" && aws_route53_record.broker[0].type == "A"
    error_message = "There is no certificate or no name for the domain."
  }
}

run "a_domain_with_a_certificate_of_ones_own" {
  command = plan

  module {
    source = "./modules/load-balancer"
  }

  variables {
    domain = { name = "broker.labs.example", hosted_zone_id = "Z1" }
  }

  assert {
    condition     = length(aws_acm_certificate.this) == 0 && aws_lb_listener.https.certificate_arn == var.certificate_arn && length(aws_route53_record.broker) == 1
    error_message = "The certificate that was given is not used."
  }
}
