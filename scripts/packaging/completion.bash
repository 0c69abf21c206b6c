# Completion of deferd's command line for bash.  The options are those that `deferd --help` has.
_deferd() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	case $before in
	-c | --config) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	--init) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
	--explain) COMPREPLY=() ;;
	*) mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" --help | grep -oE -- '--[a-z]+(=settings)?' | sort -u)" -- "$word") ;;
	esac
}
complete -o filenames -F _deferd deferd
