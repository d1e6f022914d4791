locals {
  # A rate is looked at over five minutes, so it falls slowly: sooner nothing would have changed.
  retry_after_seconds = "60"

  caller_headers = { x-instruqt-sandbox-id = 1, x-track-id = 2 }

  # Rules that AWS keeps up to date. Left out on purpose: the list of anonymous and hosting addresses, because labs
  # run at hosting providers and call from there.
  managed_rules = {
    AWSManagedRulesAmazonIpReputationList = { priority = 10, counted = [] }
    AWSManagedRulesKnownBadInputsRuleSet  = { priority = 20, counted = [] }

    # Scripts in lab images may send no User-Agent.
    AWSManagedRulesCommonRuleSet = { priority = 30, counted = ["NoUserAgent_HEADER"] }
  }
}

resource "aws_wafv2_web_acl" "this" {
  name        = var.name
  description = "Protects the broker without blocking a class behind one address"
  scope       = "REGIONAL"

  default_action {
    allow {}
  }

  # Rates come first: what they block need not be inspected.
  # One for each header that can carry the caller's id. A request without the header is not counted.
  dynamic "rule" {
    for_each = local.caller_headers

    content {
      name     = "rate-per-${rule.key}"
      priority = rule.value

      action {
        block {
          custom_response {
            response_code            = 429
            custom_response_body_key = "rate_limit"

            # As the broker's own limits say it, and clients read it.
            response_header {
              name  = "Retry-After"
              value = local.retry_after_seconds
            }
          }
        }
      }

      statement {
        rate_based_statement {
          limit                 = var.requests_per_caller
          evaluation_window_sec = 300
          aggregate_key_type    = "CUSTOM_KEYS"

          custom_key {
            ip {}
          }

          custom_key {
            header {
              name = rule.key

              text_transformation {
                priority = 0
                type     = "NONE"
              }
            }
          }
        }
      }

      visibility_config {
        metric_name                = "${var.name}-rate-per-${rule.key}"
        cloudwatch_metrics_enabled = true
        sampled_requests_enabled   = false
      }
    }
  }

  rule {
    name     = "rate-per-address"
    priority = 3

    action {
      block {
        custom_response {
          response_code            = 429
          custom_response_body_key = "rate_limit"

          # As the broker's own limits say it, and clients read it.
          response_header {
            name  = "Retry-After"
            value = local.retry_after_seconds
          }
        }
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.requests_per_address
        evaluation_window_sec = 300
        aggregate_key_type    = "IP"
      }
    }

    visibility_config {
      metric_name                = "${var.name}-rate-per-address"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = false
    }
  }

  dynamic "rule" {
    for_each = local.managed_rules

    content {
      name     = rule.key
      priority = rule.value.priority

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.key

          dynamic "rule_action_override" {
            for_each = rule.value.counted

            content {
              name = rule_action_override.value

              action_to_use {
                count {}
              }
            }
          }
        }
      }

      # Samples would show headers, and with them tokens.
      visibility_config {
        metric_name                = "${var.name}-${rule.key}"
        cloudwatch_metrics_enabled = true
        sampled_requests_enabled   = false
      }
    }
  }

  custom_response_body {
    key          = "rate_limit"
    content_type = "APPLICATION_JSON"
    content = jsonencode({
      error = {
        code        = "RATE_LIMIT_EXCEEDED"
        message     = "Too many requests; try again in a few minutes."
        request_id  = "firewall"
        retry_after = 60
      }
    })
  }

  visibility_config {
    metric_name                = var.name
    cloudwatch_metrics_enabled = true
    sampled_requests_enabled   = false
  }

  tags = var.tags
}

resource "aws_wafv2_web_acl_association" "this" {
  web_acl_arn  = aws_wafv2_web_acl.this.arn
  resource_arn = var.load_balancer_arn
}
