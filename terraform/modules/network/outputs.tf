output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "Subnets with a route to the internet gateway, one a zone."
  value       = [for zone in local.zones : aws_subnet.public[zone].id]
}

output "task_subnet_ids" {
  description = "Subnets of the tasks, one a zone: private ones where there is a NAT gateway, else the public ones."
  value       = [for zone in local.zones : local.tasks_are_private ? aws_subnet.task[zone].id : aws_subnet.public[zone].id]

  # A task that starts before its way out is there cannot pull its image.
  depends_on = [aws_route.public_to_internet, aws_route.task_to_internet, aws_route_table_association.public, aws_route_table_association.task]
}

output "tasks_need_public_addresses" {
  description = "Whether tasks reach the internet by public addresses of their own."
  value       = !local.tasks_are_private
}

output "nat_addresses" {
  description = "Public addresses of the NAT gateways, from which the CSP sees the broker; empty without them."
  value       = [for zone in local.gateway_zones : aws_eip.nat[zone].public_ip]
}
