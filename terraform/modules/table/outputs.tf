output "name" {
  description = "Name of the table."
  value       = local.is_replica ? var.name : aws_dynamodb_table.this[0].name
}

output "arn" {
  description = "ARN of the table in this region."
  value       = local.arn
}

output "index_arns" {
  description = "ARNs of its three indexes."
  value       = [for name in keys(local.indexes) : "${local.arn}/index/${name}"]
}
