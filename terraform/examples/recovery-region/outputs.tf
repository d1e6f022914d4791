output "load_balancers" {
  description = "Where the name of the broker points, and where it points after a recovery."
  value = {
    serving  = module.broker.load_balancer_dns_name
    recovery = module.broker_recovery.load_balancer_dns_name
  }
}

output "repository_urls" {
  description = "Repositories; push every image to both."
  value = {
    serving  = module.broker.repository_url
    recovery = module.broker_recovery.repository_url
  }
}
