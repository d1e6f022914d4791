resource "aws_acm_certificate" "this" {
  count = local.make_certificate ? 1 : 0

  domain_name       = var.domain.name
  validation_method = "DNS"

  tags = var.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  for_each = local.make_certificate ? toset([var.domain.name]) : toset([])

  zone_id         = var.domain.hosted_zone_id
  allow_overwrite = true
  ttl             = 300

  name    = one([for option in aws_acm_certificate.this[0].domain_validation_options : option.resource_record_name])
  type    = one([for option in aws_acm_certificate.this[0].domain_validation_options : option.resource_record_type])
  records = [for option in aws_acm_certificate.this[0].domain_validation_options : option.resource_record_value]
}

resource "aws_acm_certificate_validation" "this" {
  count = local.make_certificate ? 1 : 0

  certificate_arn         = aws_acm_certificate.this[0].arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}

resource "aws_route53_record" "broker" {
  count = var.domain == null ? 0 : 1

  zone_id = var.domain.hosted_zone_id
  name    = var.domain.name
  type    = "A"

  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = true
  }
}
