data "aws_region" "current" {}

data "aws_partition" "current" {}

locals {
  container_port = 8080

  # A port that the load balancer does not know; where nobody reads it, /metrics stays on the other one.
  metrics_port = length(var.metrics_reader_cidr_blocks) > 0 ? 9464 : null

  serves = var.maximum_tasks > 0

  # Roles are of the account and not of a region: an installation for recovery must not meet the names of the first.
  regional_name = "${var.name}-${data.aws_region.current.id}"

  network = var.existing_network != null ? var.existing_network : {
    vpc_id                      = module.network[0].vpc_id
    load_balancer_subnet_ids    = var.internal ? module.network[0].task_subnet_ids : module.network[0].public_subnet_ids
    task_subnet_ids             = module.network[0].task_subnet_ids
    tasks_need_public_addresses = module.network[0].tasks_need_public_addresses
  }

  image = var.image != null ? var.image : "${module.registry[0].repository_url}:${var.image_tag}"

  # An image in ECR can only be pulled with rights on its repository; any other is public.
  ecr_image      = var.image == null ? null : try(regex("^([0-9]{12})\\.dkr\\.ecr\\.([a-z0-9-]+)\\.amazonaws\\.com(?:\\.cn)?/([^:@]+)", var.image), null)
  repository_arn = var.image == null ? module.registry[0].repository_arn : try("arn:${data.aws_partition.current.partition}:ecr:${local.ecr_image[1]}:${local.ecr_image[0]}:repository/${local.ecr_image[2]}", null)

  # What labs need. Everything else is for operators.
  public_paths = concat(
    ["/healthz", "${var.api_base_path}/allocate", "${var.api_base_path}/sandboxes/*"],
    var.additional_public_paths,
  )
}

locals {
  # Each secret and the variable that it fills. By name, so that Terraform knows them before their ARNs.
  secret_variables = merge(
    { broker_api_token = "BROKER_API_TOKEN", broker_admin_token = "BROKER_ADMIN_TOKEN", csp_api_token = "CSP_API_TOKEN" },
    var.niosxaas == null ? {} : { niosxaas_password = "NIOSXAAS_PASSWORD" },
  )
  all_secret_arns = var.existing_secret_arns != null ? var.existing_secret_arns : module.secrets[0].arns
  secret_arns     = { for secret in keys(local.secret_variables) : secret => local.all_secret_arns[secret] }

  reloads = var.secret_delivery == "reload"

  secret_arns_read_by_tasks = [for secret, arn in local.secret_arns : arn if local.reloads]
  secret_arns_read_at_start = [for secret, arn in local.secret_arns : arn if !local.reloads]

  environment_secrets = { for secret, variable in local.secret_variables : variable => local.secret_arns[secret] if !local.reloads }

  environment = merge(
    {
      # The load balancer stands in front, and nothing else.
      TRUST_PROXY = "1"
      # ECS takes a task from the load balancer before it sends SIGTERM, but where capacity is taken back (Spot) or a
      # host fails: for as long as requests may still come.
      SHUTDOWN_DELAY_MS = "5000"
    },
    var.environment,
    # What the rest of this module relies on.
    {
      # Filters and saved queries read fields.
      LOG_FORMAT     = "json"
      AWS_REGION     = data.aws_region.current.id
      DDB_TABLE_NAME = module.table.name
      DDB_GSI1_NAME  = var.index_names.status
      DDB_GSI2_NAME  = var.index_names.track
      DDB_GSI3_NAME  = var.index_names.idempotency
      PORT           = tostring(local.container_port)
      API_BASE_PATH  = var.api_base_path
      CSP_BASE_URL   = var.csp_base_url
      ROLE           = var.jobs_run_in == "service" ? "all" : "api"
      # Done before ECS kills it.
      SHUTDOWN_TIMEOUT_MS = tostring((var.stop_timeout_seconds - 5) * 1000)
      NIOSXAAS_ENABLED    = tostring(var.niosxaas != null)
    },
    local.metrics_port == null ? {} : { METRICS_PORT = tostring(local.metrics_port) },
    var.niosxaas == null ? {} : { NIOSXAAS_EMAIL = var.niosxaas.email },
    { for secret, variable in local.secret_variables : "${variable}_SECRET_ID" => local.secret_arns[secret] if local.reloads },
    merge([for pool in module.user_pool : {
      COGNITO_ISSUER_URL   = pool.issuer_url
      COGNITO_CLIENT_IDS   = join(",", values(pool.client_ids))
      COGNITO_SCOPE_PREFIX = var.user_pool.scope_prefix
    }]...),
  )
}
