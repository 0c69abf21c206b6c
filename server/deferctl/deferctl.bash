# Completion of deferctl for bash.
_deferctl()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}

	case $before in
	-o | --output | --token-file | --cacert)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	-X | --request)
		mapfile -t COMPREPLY < <(compgen -W 'GET POST PUT PATCH DELETE' -- "$word")
		return
		;;
	--state)
		mapfile -t COMPREPLY < <(compgen -W 'queued running succeeded failed timed_out cancelled' -- "$word")
		return
		;;
	esac
	if [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W '--request --data --header --output --follow --user --token-file --cacert --key
			--retry --max-time --no-wait --json --quiet --state --route --limit --help --version' -- "$word")
	elif ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W 'call cancel list output status top wait' -- "$word")
	fi
}
complete -F _deferctl deferctl
