# The firewall lets a class behind one address pass.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                 = "broker"
  load_balancer_arn    = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/broker/0a1b"
  requests_per_address = 20000
  requests_per_caller  = 600
  tags                 = {}
}

run "a_class_of_1000_behind_one_address_passes" {
  command = plan

  module {
    source = "./modules/firewall"
  }

  assert {
    condition     = one([for rule in aws_wafv2_web_acl.this.rule : "${rule.statement[0].rate_based_statement[0].aggregate_key_type} ${rule.statement[0].rate_based_statement[0].limit}" if rule.name == "rate-per-address"]) == "IP 20000"
    error_message = "The limit of an address is not the one that was asked for, or counts what a client can write."
  }

  assert {
    condition     = alltrue(flatten([for rule in aws_wafv2_web_acl.this.rule : [for rate in rule.statement[0].rate_based_statement : rate.limit >= 10000 if rate.aggregate_key_type == "IP"]]))
    error_message = "A limit counts an address alone and is too low for a class."
  }

  assert {
    condition     = alltrue([for rule in aws_wafv2_web_acl.this.rule : !strcontains(rule.name, "AnonymousIp") && alltrue([for group in rule.statement[0].managed_rule_group_statement : !strcontains(group.name, "AnonymousIp")])])
    error_message = "Labs run at hosting providers, which the list of anonymous addresses blocks."
  }

  assert {
    condition     = length(aws_wafv2_web_acl.this.default_action[0].allow) == 1
    error_message = "What no rule names is blocked."
  }
}

run "one_caller_in_a_loop_is_stopped_whichever_header_names_it" {
  command = plan

  module {
    source = "./modules/firewall"
  }

  assert {
    condition = toset(flatten([for rule in aws_wafv2_web_acl.this.rule : [
      for statement in rule.statement[0].rate_based_statement : [for key in statement.custom_key : [for header in key.header : header.name]] if statement.limit == 600
    ]])) == toset(["x-instruqt-sandbox-id", "x-track-id"])
    error_message = "A header that names the caller is not counted."
  }
}

run "who_is_stopped_is_told_when_to_come_again" {
  command = plan

  module {
    source = "./modules/firewall"
  }

  assert {
    condition = alltrue([for rule in aws_wafv2_web_acl.this.rule :
      [for header in rule.action[0].block[0].custom_response[0].response_header : header.name] == ["Retry-After"] if length(rule.statement[0].rate_based_statement) > 0
    ])
    error_message = "A client that is stopped does not know how long to wait."
  }
}

run "no_token_gets_into_samples" {
  command = plan

  module {
    source = "./modules/firewall"
  }

  assert {
    condition     = !aws_wafv2_web_acl.this.visibility_config[0].sampled_requests_enabled && alltrue([for rule in aws_wafv2_web_acl.this.rule : !rule.visibility_config[0].sampled_requests_enabled])
    error_message = "Samples of requests would hold their Authorization header."
  }
}

run "a_limit_that_would_block_a_class_is_refused" {
  command = plan

  module {
    source = "./modules/firewall"
  }

  variables {
    requests_per_address = 2000
  }

  expect_failures = [var.requests_per_address]
}
