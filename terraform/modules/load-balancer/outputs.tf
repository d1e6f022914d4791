output "arn" {
  description = "ARN of the load balancer."
  value       = aws_lb.this.arn
}

output "arn_suffix" {
  description = "How metrics name the load balancer."
  value       = aws_lb.this.arn_suffix
}

output "dns_name" {
  description = "Name of the load balancer in the DNS."
  value       = aws_lb.this.dns_name
}

output "zone_id" {
  description = "Route 53 zone of that name, for alias records."
  value       = aws_lb.this.zone_id
}

output "security_group_id" {
  description = "Security group of the load balancer."
  value       = aws_security_group.this.id
}

output "target_group_arn" {
  description = "Target group of the broker's tasks."
  value       = aws_lb_target_group.this.arn

  # ECS refuses a target group that no listener uses.
  depends_on = [aws_lb_listener.https, aws_lb_listener_rule.public, aws_lb_listener_rule.operators]
}

output "target_group_arn_suffix" {
  description = "How metrics name the target group."
  value       = aws_lb_target_group.this.arn_suffix
}

output "access_log_bucket" {
  description = "Bucket of the access logs; null where none are written."
  value       = local.log_bucket
}
