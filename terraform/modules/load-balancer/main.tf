data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  certificate_arn  = var.certificate_arn != null ? var.certificate_arn : aws_acm_certificate_validation.this[0].certificate_arn
  make_certificate = var.certificate_arn == null

  # A rule takes five values.
  public_path_groups     = chunklist(var.public_paths, 5)
  operator_source_groups = chunklist(var.operator_cidr_blocks, 5)

  # The shape of every error of the broker.
  not_found = jsonencode({
    error = {
      code       = "NOT_FOUND"
      message    = "There is no such route."
      request_id = "load-balancer"
    }
  })

  make_log_bucket = var.access_logs != null && try(var.access_logs.bucket, null) == null
  log_bucket      = local.make_log_bucket ? aws_s3_bucket.access_logs[0].id : try(var.access_logs.bucket, null)
  log_path        = join("/", compact([try(var.access_logs.prefix, null), "AWSLogs", data.aws_caller_identity.current.account_id, "*"]))
}

resource "aws_security_group" "this" {
  name_prefix = "${var.name}-load-balancer-"
  description = "HTTP and HTTPS to the load balancer of ${var.name}"
  vpc_id      = var.vpc_id

  tags = merge(var.tags, { Name = "${var.name}-load-balancer" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "client" {
  for_each = {
    for pair in setproduct(toset(concat(var.client_cidr_blocks, var.operator_cidr_blocks)), [80, 443]) :
    "${pair[0]} to ${pair[1]}" => { cidr_block = pair[0], port = pair[1] }
  }

  security_group_id = aws_security_group.this.id
  description       = each.value.port == 443 ? "HTTPS" : "HTTP, answered with a redirect"
  cidr_ipv4         = each.value.cidr_block
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port

  tags = var.tags
}

resource "aws_lb" "this" {
  name               = var.name
  load_balancer_type = "application"
  internal           = var.internal
  security_groups    = [aws_security_group.this.id]
  subnets            = var.subnet_ids

  # The broker keeps idle connections longer than this, so that the load balancer is always the one to close them.
  idle_timeout = 60

  drop_invalid_header_fields = true
  enable_deletion_protection = var.deletion_protection

  dynamic "access_logs" {
    for_each = var.access_logs == null ? [] : [var.access_logs]

    content {
      enabled = true
      bucket  = local.log_bucket
      prefix  = access_logs.value.prefix
    }
  }

  tags = var.tags

  # Elastic Load Balancing tries to write as soon as it is told where.
  depends_on = [aws_s3_bucket_policy.access_logs]
}

resource "aws_lb_target_group" "this" {
  name_prefix = "broker"
  target_type = "ip"
  protocol    = "HTTP"
  port        = var.container_port
  vpc_id      = var.vpc_id

  deregistration_delay          = var.deregistration_delay_seconds
  load_balancing_algorithm_type = "least_outstanding_requests"

  # ECS replaces a task that fails here, and readiness fails whenever the database does: a minute of it is waited
  # for before a task counts as broken.
  health_check {
    path                = "/readyz"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 6
  }

  tags = merge(var.tags, { Name = var.name })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_listener" "redirect" {
  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTP"
  port              = 80

  default_action {
    type = "redirect"

    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }

  tags = var.tags
}

# What is not named in a rule is not there: a list of what is closed could be passed by another spelling of a path.
resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTPS"
  port              = 443
  ssl_policy        = var.tls_policy
  certificate_arn   = local.certificate_arn

  default_action {
    type = "fixed-response"

    fixed_response {
      status_code  = "404"
      content_type = "application/json"
      message_body = local.not_found
    }
  }

  tags = var.tags
}

resource "aws_lb_listener_rule" "operators" {
  count = length(local.operator_source_groups)

  listener_arn = aws_lb_listener.https.arn
  priority     = 100 + count.index

  condition {
    source_ip {
      values = local.operator_source_groups[count.index]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }

  tags = merge(var.tags, { Name = "${var.name}-operators-${count.index}" })
}

resource "aws_lb_listener_rule" "public" {
  count = length(local.public_path_groups)

  listener_arn = aws_lb_listener.https.arn
  priority     = 1000 + count.index

  condition {
    path_pattern {
      values = local.public_path_groups[count.index]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }

  tags = merge(var.tags, { Name = "${var.name}-public-${count.index}" })
}
