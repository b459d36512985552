#!/usr/bin/env bash
# The lab "Encrypt data with AWS KMS" as AWS CLI commands: written by `kmslab export`.
#
# On the sandbox: `kmslab serve` prints lines that begin with export; paste them into your shell, then run this script.
# On AWS: name your admin's profile below. It creates a key (1 USD a month, by the hour, until its deletion is
# scheduled), a table and a user, and removes them at its end, whatever happens; the key 7 days later.
#
# It shows the account and asks before it creates anything. In scripts, say yes with the account's number:
# run.sh --yes-account 123456789012, or KMSLAB_YES_ACCOUNT=123456789012.
set -euo pipefail

ADMIN_PROFILE='' # of ~/.aws; empty: the credentials in the environment
USER_PROFILE=''  # test-user's, with DynamoDB and without kms:Decrypt; empty: a user is made, and removed

WAIT=${KMSLAB_WAIT:-180} # seconds, for a change to take effect

export AWS_PAGER=''
run=$(printf '%08x' $((RANDOM * 32768 + RANDOM)))
created=$(date -u +%Y-%m-%dT%H:%M:%SZ)
key_id='' key_arn='' user_arn='' user_key='' user_secret='' partition='' policy='' account='' admin_arn=''
grant_id='' made_alias='' made_table='' made_user='' made_policy='' made_way='' left=''

say() { printf '\n== %s\n' "$1"; }
fail() {
    printf 'FAILED: %s\n' "$1" >&2
    exit 1
}

# As the admin.
admin() {
    if [[ -n $ADMIN_PROFILE ]]; then aws --profile "$ADMIN_PROFILE" "$@"; else aws "$@"; fi
}

# As test-user. Its secret stays in this shell: it is in no file and on no command line.
user() (
    if [[ -n $USER_PROFILE ]]; then
        aws --profile "$USER_PROFILE" "$@"
    else
        unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN
        export AWS_ACCESS_KEY_ID=$user_key AWS_SECRET_ACCESS_KEY=$user_secret
        aws "$@"
    fi
)

# The user or role behind an ARN. A policy that names a role's session is of no use once that has ended.
principal_of() {
    local role=${1#*:assumed-role/}
    if [[ $role == "$1" ]]; then
        printf '%s\n' "$1"
    else
        admin iam get-role --role-name "${role%%/*}" --query Role.Arn --output text
    fi
}

# Asks before anything is created, unless the account was accepted in advance.
consent() {
    local accepted=${KMSLAB_YES_ACCOUNT:-} typed='' place
    if [[ ${1:-} == --yes-account ]]; then accepted=${2:-}; fi
    admin_arn=$(admin sts get-caller-identity --query Arn --output text)
    IFS=: read -r _ partition _ _ account _ <<<"$admin_arn"
    place=${AWS_ENDPOINT_URL:-$(admin configure get endpoint_url || true)}
    printf 'account    %s, region %s, at %s\nadmin      %s\n' "$account" "$AWS_DEFAULT_REGION" "${place:-AWS}" "$admin_arn"
    printf 'creates    a KMS key (1 USD a month, by the hour) and a table\n'
    if [[ -z $USER_PROFILE ]]; then
        printf '           an IAM user with an access key: dynamodb:* on that table, nothing else\n'
    fi
    # OWN WAY
    if [[ -n $accepted ]]; then
        [[ $accepted == "$account" ]] || fail "--yes-account is $accepted, and the admin's account is $account; nothing was created"
        return
    fi
    [[ -t 0 ]] || fail "nothing was created: no terminal to ask on; to agree: --yes-account $account"
    read -r -p "Type the last four digits of the account to say yes: " typed
    [[ $typed == "${account: -4}" ]] || fail 'not those digits; nothing was created'
}

# What has just been made may take a while to be known everywhere.
eventually() {
    local end=$((SECONDS + WAIT)) told=''
    while ((SECONDS < end)); do
        if "$@" 2>/dev/null; then return 0; fi
        if [[ -z $told ]]; then printf 'waiting up to %s s: %s %s\n' "$WAIT" "$2" "$3" >&2; fi
        told=yes
        sleep 2
    done
    "$@"
}

expect_items() {
    local expected=$1 who=$2 count
    shift 2
    count=$("$@" --query Count --output text)
    [[ $count == "$expected" ]] || fail "$count items instead of $expected: $*"
    printf '%s: ALLOWED, %s items\n' "$who" "$count"
}

# The denial is what the lab expects.
denied_on() {
    local action=$1 answer='' end=$((SECONDS + WAIT))
    shift
    while ((SECONDS < end)); do
        if answer=$("$@" 2>&1); then
            fail "ALLOWED, and should be denied on $action: $*"
        elif [[ $answer == *"$action"* ]]; then
            printf 'test-user: DENIED on %s, as expected\n' "$action"
            return 0
        fi
        # The new user is not known everywhere yet.
        sleep 2
    done
    fail "$answer"
}

undo() {
    "$@" >/dev/null || {
        printf 'LEFT BEHIND: %s\n' "$*" >&2
        left=yes
    }
}

clean_up() {
    local status=$?
    trap - EXIT
    set +e
    # CLEAN-UP
    if [[ -n $left ]]; then status=3; fi
    exit "$status"
}
if [[ -z ${AWS_DEFAULT_REGION:-} ]]; then
    AWS_DEFAULT_REGION=${AWS_REGION:-$(admin configure get region || true)}
fi
[[ -n $AWS_DEFAULT_REGION ]] || fail 'no region: set AWS_DEFAULT_REGION, or put one into the profile'
export AWS_DEFAULT_REGION

consent "$@"
trap clean_up EXIT
